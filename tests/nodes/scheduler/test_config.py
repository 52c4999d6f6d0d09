"""KubeSchedulerConfiguration: what it makes of a scheduler, and why a wrong one is refused."""

import pytest

from nodes.scheduler.config.reading import ConfigError, read
from nodes.scheduler.profile import Profile

HEAD = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}


def profile(**given):
    (config,) = read({**HEAD, "profiles": [given]}).profiles
    return Profile(config)


def names(plugins):
    return [plugin.name for plugin in plugins]


def test_without_anything_the_defaults_hold():
    config = read(HEAD)
    assert [one.name for one in config.profiles] == ["default-scheduler"]
    assert (config.first_backoff, config.longest_backoff) == (1.0, 10.0)
    assert Profile(config.profiles[0]).points() == Profile().points()


DEFAULT_FILTERS = names(Profile().filter)


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        ({"filter": {"disabled": [{"name": "NodePorts"}]}}, set(DEFAULT_FILTERS) - {"NodePorts"}),
        ({"filter": {"disabled": [{"name": "*"}]}}, set()),
        (
            {
                "filter": {
                    "disabled": [{"name": "*"}],
                    "enabled": [{"name": "NodeName"}, {"name": "NodePorts"}],
                }
            },
            {"NodeName", "NodePorts"},
        ),
        (
            {"multiPoint": {"disabled": [{"name": "TaintToleration"}]}},
            set(DEFAULT_FILTERS) - {"TaintToleration"},
        ),
    ],
)
def test_filters_are_switched_off_and_on(plugins, expected):
    assert set(names(profile(plugins=plugins).filter)) == expected


def test_what_is_named_for_a_point_comes_first_in_its_own_order():
    given = {"filter": {"enabled": [{"name": "NodePorts"}, {"name": "NodeName"}]}}
    found = names(profile(plugins=given).filter)
    assert found[:2] == ["NodePorts", "NodeName"]
    assert found[2:] == [n for n in DEFAULT_FILTERS if n not in ("NodePorts", "NodeName")]


def test_weights():
    given = {
        "multiPoint": {"enabled": [{"name": "ImageLocality", "weight": 7}]},
        "score": {"enabled": [{"name": "NodeAffinity", "weight": 9}]},
    }
    found = {plugin.name: weight for plugin, weight in profile(plugins=given).score}
    assert found["ImageLocality"] == 7
    assert found["NodeAffinity"] == 9
    assert found["TaintToleration"] == 3


def test_only_what_is_used_is_made():
    given = {"multiPoint": {"disabled": [{"name": "*"}]}}
    given |= {"queueSort": {"enabled": [{"name": "PrioritySort"}]}}
    given |= {"bind": {"enabled": [{"name": "DefaultBinder"}]}}
    assert set(profile(plugins=given).plugins) == {"PrioritySort", "DefaultBinder"}


def one(**given):
    return {"profiles": [given]}


def args(name, **given):
    return one(pluginConfig=[{"name": name, "args": given}])


ARGS = "profiles[0].pluginConfig[0].args"
FIT = "scoringStrategy"


def strategy(**given):
    return args("NodeResourcesFit", scoringStrategy=given)


RATIO = {"type": "RequestedToCapacityRatio"}
WRONG = [
    ({"kind": ""}, "Object 'Kind' is missing in '"),
    (
        {"apiVersion": "kubescheduler.config.k8s.io/v1beta3"},
        (
            'no kind "KubeSchedulerConfiguration" is registered for version '
            '"kubescheduler.config.k8s.io/v1beta3" in scheme '
            '"pkg/scheduler/apis/config/scheme/scheme.go:30"'
        ),
    ),
    ({"nope": 1}, 'strict decoding error: unknown field "nope"'),
    (one(plugins={"score": {"on": []}}), 'unknown field "profiles[0].plugins.score.on"'),
    (
        {"parallelism": "x"},
        "json: cannot unmarshal string into Go struct field parallelism of type",
    ),
    (
        {"parallelism": 0},
        "parallelism: Invalid value: 0: should be an integer value greater than zero",
    ),
    (
        {"percentageOfNodesToScore": 101},
        "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
    ),
    (
        one(percentageOfNodesToScore=-1),
        "profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]",
    ),
    (
        {"podInitialBackoffSeconds": 0},
        "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0",
    ),
    (
        {"podInitialBackoffSeconds": 20},
        (
            "podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to "
            "PodInitialBackoffSeconds"
        ),
    ),
    (
        {"profiles": [{"schedulerName": "a"}, {"schedulerName": "a"}]},
        'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    ),
    (
        {"profiles": [{"schedulerName": "a"}, {}]},
        "profiles[1].schedulerName: Required value",
    ),
    (
        args("InterPodAffinity", hardPodAffinityWeight=101),
        f"{ARGS}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]",
    ),
    (
        args("DefaultPreemption", minCandidateNodesPercentage=0, minCandidateNodesAbsolute=0),
        (
            f"[{ARGS}.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at "
            f"the same time "
            f"as minCandidateNodesAbsolute, {ARGS}.minCandidateNodesAbsolute: Invalid "
            f"value: 0: cannot "
            "be zero at the same time as minCandidateNodesPercentage]"
        ),
    ),
    (
        args("VolumeBinding", bindTimeoutSeconds=-1),
        (
            f"{ARGS}.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, "
            f"should not be "
            "a negative value"
        ),
    ),
    (
        args("NodeResourcesBalancedAllocation", resources=[{"name": "cpu", "weight": 2}]),
        f"{ARGS}.resources[0].weight: Invalid value: 2: must be 1",
    ),
    (
        args("PodTopologySpread", defaultConstraints=[{"maxSkew": 1}]),
        f'{ARGS}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ),
    (
        args("NodeResourcesFit", nope=1),
        (
            "decoding .profiles[0].pluginConfig[0]: decoding args for plugin "
            "NodeResourcesFit: strict "
            'decoding error: unknown field "nope"'
        ),
    ),
    (
        one(pluginConfig=[{"name": "NodeAffinity"}, {"name": "NodeAffinity"}]),
        'profiles[0].pluginConfig[1]: Duplicate value: "NodeAffinity"',
    ),
    (
        {
            "profiles": [
                {"plugins": {"queueSort": {"enabled": [{"name": "PrioritySort"}, {"name": "b"}]}}}
            ]
        },
        (
            "profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin "
            "can be enabled"
        ),
    ),
    *(
        (
            {"extenders": [{"managedResources": [{"name": name}]}]},
            f'extenders[0].managedResources[0].name: Invalid value: "{name}": {why}',
        )
        for name, why in (
            ("cpu", "is an invalid extended resource name"),
            ("node.kubernetes.io/x", "is an invalid extended resource name"),
            ("a b", "name part must consist of alphanumeric characters"),
        )
    ),
    (
        {"extenders": [{"prioritizeVerb": "p"}]},
        "extenders[0].weight: Invalid value: 0: must have a positive weight applied to it",
    ),
    (
        {"extenders": [{"bindVerb": "a"}, {"bindVerb": "b"}]},
        (
            'extenders: Invalid value: "found 2 extenders implementing bind": only one '
            "extender can "
            "implement bind"
        ),
    ),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_what_is_wrong_is_said_in_kubernetes_words(given, words):
    with pytest.raises(ConfigError) as error:
        read({**HEAD, **given})
    assert words in str(error.value)


def node_affinity(*expressions, fields=()):
    term = {"matchExpressions": list(expressions), "matchFields": list(fields)}
    required = {"nodeSelectorTerms": [term]}
    preferred = [{"weight": 0, "preference": term}]
    return {
        "requiredDuringSchedulingIgnoredDuringExecution": required,
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    }


def is_(operator, *values, key="a"):
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (
            is_("Is", "x"),
            (
                'operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", '
                '"DoesNotExist", "Gt", "Lt"'
            ),
        ),
        (
            is_("In"),
            "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            is_("Exists", "x"),
            'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
        ),
        (
            is_("Gt", "1", "2"),
            (
                'values: Invalid value: ["1","2"]: '
                "for 'Gt', 'Lt' operators, exactly one value is required"
            ),
        ),
        (
            is_("Lt", "x"),
            (
                "values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an "
                "integer"
            ),
        ),
        (is_("In", "-"), 'values[0][a]: Invalid value: "-": a valid label must be'),
        (is_("Exists", key="-"), 'key: Invalid value: "-": name part must consist of'),
    ],
)
def test_an_affinity_that_is_added_is_well_formed(expression, words):
    given = args("NodeAffinity", addedAffinity=node_affinity(expression))
    with pytest.raises(ConfigError) as error:
        read({**HEAD, **given})
    term = "addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
    assert str(error.value).startswith(f"{ARGS}.{term}.matchExpressions[0].{words}")


def test_fields_of_an_affinity_have_one_value():
    wrong = [is_("In", "a", "b", key="metadata.name"), is_("Exists", key="metadata.name")]
    with pytest.raises(ConfigError) as error:
        read({**HEAD, **args("NodeAffinity", addedAffinity=node_affinity(fields=wrong))})
    assert 'matchFields[0].values: Invalid value: ["a","b"]: must have one' in str(error.value)
    words = 'matchFields[1].operator: Unsupported value: "Exists": supported values: "In", "NotIn"'
    assert words in str(error.value)


CREATING = "initializing profiles: creating profile for scheduler name default-scheduler: "


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        ({"score": {"enabled": [{"name": "No"}]}}, f'{CREATING}ScorePlugin "No" does not exist'),
        (
            {"score": {"enabled": [{"name": "NodeName"}]}},
            f'{CREATING}plugin "NodeName" does not extend ScorePlugin plugin',
        ),
        (
            {"filter": {"enabled": [{"name": "NodeName"}, {"name": "NodeName"}]}},
            f'{CREATING}plugin "NodeName" already registered as "FilterPlugin"',
        ),
        (
            {"multiPoint": {"disabled": [{"name": "PrioritySort"}]}},
            'only one queue sort plugin required for profile with scheduler name "default-',
        ),
        (
            {"bind": {"disabled": [{"name": "*"}]}},
            'at least one bind plugin is needed for profile with scheduler name "default-',
        ),
    ],
)
def test_plugins_that_make_no_profile(plugins, words):
    with pytest.raises(ConfigError) as error:
        profile(plugins=plugins)
    assert words in str(error.value)


SHAPE = [{"utilization": 50, "score": 11}, {"utilization": 50, "score": 1}]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            strategy(type="Best"),
            (
                f'{FIT}.type: Unsupported value: "Best": supported values: "LeastAllocated", '
                '"MostAllocated", "RequestedToCapacityRatio"'
            ),
        ),
        (
            strategy(type="MostAllocated", resources=[{"name": "cpu", "weight": 101}]),
            (
                f"{FIT}.resources[0].weight: Invalid value: 101: resource weight of cpu not in "
                "valid range (0, 100]"
            ),
        ),
        (
            strategy(**RATIO, requestedToCapacityRatio={}),
            f"{FIT}.shape: Required value: at least one point must be specified",
        ),
        (
            strategy(**RATIO),
            f"{FIT}.requestedToCapacityRatio: Required value: must be specified with this type",
        ),
        (
            strategy(**RATIO, requestedToCapacityRatio={"shape": SHAPE}),
            (
                f"[{FIT}.shape[1].utilization: Invalid value: 50: values must be sorted in "
                f"increasing order, {FIT}.shape[0].score: Invalid value: 11: not in valid range "
                "[0, 10]]"
            ),
        ),
        (
            args("DynamicResources", bindingTimeout="500ms"),
            'bindingTimeout: Invalid value: "500ms": must be at least 1 second',
        ),
        (
            args("DynamicResources", filterTimeout="-1s"),
            'filterTimeout: Invalid value: "-1s": must be zero or positive',
        ),
    ],
)
def test_plugins_that_cannot_be_made(given, words):
    (config,) = read({**HEAD, **given}).profiles
    name = given["profiles"][0]["pluginConfig"][0]["name"]
    with pytest.raises(ConfigError) as error:
        Profile(config)
    assert str(error.value) == f'{CREATING}initializing plugin "{name}": {words}'
