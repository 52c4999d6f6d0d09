// The topology page.
import "./el/kp-topology.js";
