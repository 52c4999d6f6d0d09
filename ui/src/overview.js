// The overview page.
import "./overview/kp-overview.js";
