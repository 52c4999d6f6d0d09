// The timeline page.
import "./timeline/kp-timeline.js";
