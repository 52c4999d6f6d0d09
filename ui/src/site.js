// Pages about the site itself: small pictures of clusters, the grid of rights.
import "./el/kp-access.js";
import "./el/kp-thumbnail.js";
