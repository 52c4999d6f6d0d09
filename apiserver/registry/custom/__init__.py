"""Custom resources: kinds that CustomResourceDefinitions add to a cluster.

`service` follows the definitions and keeps the catalog; `building` makes a Resource of one;
`strategy` has the rules of its objects; `cleanup` removes them along with it.
"""
