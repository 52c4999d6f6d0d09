// The trace page.
import "./trace/kp-trace.js";
