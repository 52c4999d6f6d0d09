"""The simulated container runtime: containers are programs in this process, their disks memory.

It keeps the CRI protocols, costs nothing while nothing happens, and runs nothing on the host.
"""
