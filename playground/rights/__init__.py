"""Who may do what in a cluster: the access page, looking as somebody else, tokens, kubeconfigs."""
