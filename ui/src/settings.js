// The settings page: the list of keys, each of which can be another.
import "./el/kp-keys-editor.js";
