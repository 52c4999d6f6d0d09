"""ClusterTrustBundleAttest: speaking for a signer takes the right to attest for it."""

from __future__ import annotations

from apimachinery.meta import Obj
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, May, Rule
from apiserver.admission.signers import may_use_signer, signer_name

# A garbage collector or a storage migration, which change no more, need no such right.
_OF_THE_COLLECTOR = ("ownerReferences", "finalizers", "resourceVersion", "managedFields")


class ClusterTrustBundleAttest:
    """Checks the verb `attest` on the signer that a bundle names."""

    name = "ClusterTrustBundleAttest"
    handles = Rule(("clustertrustbundles.certificates.k8s.io",), (CREATE, UPDATE))

    def __init__(self, may: May) -> None:
        self._may = may

    def validate(self, request: AdmissionRequest) -> None:
        signer = signer_name(request.object)
        if not signer:
            return
        if request.operation is UPDATE and _rest(request.object) == _rest(request.old_object):
            return
        if not may_use_signer(self._may, request.user, "attest", signer):
            raise request.refusal(f'user not permitted to attest for signerName "{signer}"')


def _rest(bundle: Obj | None) -> Obj:
    bundle = bundle or {}
    metadata = bundle.get("metadata") or {}
    kept = {key: value for key, value in metadata.items() if key not in _OF_THE_COLLECTOR}
    return {**bundle, "metadata": kept}
