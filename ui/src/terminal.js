// Terminals: loaded when one is opened, in the dock or on their own page.
import "./terminal/kp-terminal-page.js";
