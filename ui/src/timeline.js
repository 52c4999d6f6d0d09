// The timeline page.
import "./el/kp-clock.js";
import "./timeline/kp-timeline.js";
