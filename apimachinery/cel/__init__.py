"""The Common Expression Language as Kubernetes speaks it: checked types, then closures.

`env.Env` compiles a text against variables and libraries; what it returns runs any number of times.
Everything here is pure: no clock, no network, and a bound on the work that one run may do.
"""
