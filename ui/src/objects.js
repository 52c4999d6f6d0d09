// The pages of objects.
import "./el/kp-list.js";
