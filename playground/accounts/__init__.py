"""Who uses the site: accounts with a role, sign-in by link or password, and its defences."""
