"""Shells of the terminals in the browser: a process that knows neither Django nor the API server.

It starts programs at pseudo terminals, keeps what they printed lately, and hands it to whoever is
attached. Who may have a shell is the site's business: this process takes orders over a socket that
the site alone can open. Programs of users run in a sandbox that holds no secret and reaches nothing
but the API of one cluster, as one user.
"""
