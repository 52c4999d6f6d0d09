// Pages about the site itself: small pictures of clusters.
import "./el/kp-thumbnail.js";
