"""The Django project: settings, the composition root, and the apps of the site."""
