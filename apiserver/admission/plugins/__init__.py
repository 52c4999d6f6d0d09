"""The admission plugins, one file each; `apiserver.admission.order` lists them."""
