// The pages of objects.
import "./el/kp-list.js";
import "./el/kp-object.js";
import "./el/kp-relations.js";
import "./el/kp-try.js";
