// The editor.
import "./editor/kp-editor.js";
