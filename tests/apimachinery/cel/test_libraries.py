"""The functions that Kubernetes adds, and those that come with the language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apimachinery.cel.env import Env, EvalError
from apimachinery.cel.functions import OPAQUE
from apimachinery.cel.libs.authorizers import Authorizer, Decision
from apimachinery.cel.types import DYN

ENV = Env({"d": DYN, "authorizer": OPAQUE["Authorizer"]})

TRUE = [
    # strings
    "'tacocat'.contains('coc') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')",
    "'hello'.charAt(4) == 'o' && 'hello'.charAt(5) == ''",
    "'hello mellow'.indexOf('ello') == 1 && 'hello mellow'.indexOf('ello', 2) == 7",
    "'hello mellow'.indexOf('') == 0 && 'hello mellow'.indexOf('jello') == -1",
    "'hello mellow'.lastIndexOf('ello') == 7 && 'hello mellow'.lastIndexOf('ello', 6) == 1",
    "['a', 'b'].join() == 'ab' && ['a', 'b'].join('-') == 'a-b' && [].join() == ''",
    "'TacoCÆt'.lowerAscii() == 'tacocÆt' && 'TacoCæt'.upperAscii() == 'TACOCæT'",
    "'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'aa'.replace('a', 'b') == 'bb'",
    "'a b c'.split(' ') == ['a', 'b', 'c'] && 'a b c'.split(' ', 2) == ['a', 'b c']",
    "'abc'.split('') == ['a', 'b', 'c'] && 'a b'.split(' ', 0) == []",
    "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco'",
    r"'  \ttrim\n  '.trim() == 'trim'",
    "'abc'.matches('^a.c$') && matches('xay', 'a')",
    r"strings.quote('a\n\"') == '\"a\\n\\\"\"'",
    # printing
    (
        "'%s|%d|%.2f|%x|%X|%o|%b|%e|%%'.format([dyn('a'), 3, 2.5, 255, 255, 8, 5, 1200.0])"
        " == 'a|3|2.50|ff|FF|10|101|1.200000e+03|%'"
    ),
    "'%s'.format([[1, 2]]) == '[1, 2]' && '%s'.format([{'b': 2, 'a': 1}]) == '{a: 1, b: 2}'",
    "'%s %s'.format([dyn(null), 1.0]) == 'null 1'",
    # patterns
    "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('x') == ''",
    "'123 abc 456'.findAll('[0-9]+') == ['123', '456']",
    "'123 abc 456'.findAll('[0-9]+', 1) == ['123'] && 'a'.findAll('a', 0) == []",
    # lists and sets
    "[1, 2, 2].isSorted() && !['b', 'a'].isSorted() && [].isSorted()",
    "[1, 3].sum() == 4 && [1.5, 1.5].sum() == 3.0 && d.empty.sum() == 0",
    "[duration('1m'), duration('1s')].sum() == duration('61s')",
    "[1, 3].min() == 1 && ['a', 'c', 'b'].max() == 'c' && d.numbers.max() == 9",
    "[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && [1].indexOf(5) == -1",
    "sets.contains([1, 2, 3], [1, 2]) && !sets.contains([1], [2]) && sets.contains([1], [])",
    "sets.equivalent([1, 1, 2], [2, 1]) && sets.intersects([1], [1, 2])",
    "!sets.intersects([1], [])",
    "[1, 2, 3].slice(1, 3) == [2, 3] && [1].slice(1, 1) == [] && [2, 1].reverse() == [1, 2]",
    "[[1], [2, 3], []].flatten() == [1, 2, 3] && [[[1]], [[2]]].flatten() == [[1], [2]]",
    "[[[1]], [[2]]].flatten(2) == [1, 2] && [[1]].flatten(0) == [[1]] && [[1]].flatten(9) == [1]",
    "[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a'].sort() == ['a', 'b'] && d.empty.sort() == []",
    "d.numbers.sortBy(n, -n) == [9, 3, 1] && ['bb', 'c', 'aa'].sortBy(w, w.size())[0] == 'c'",
    "[2, 1].map(n, [n]).sortBy(l, l[0]) == [[1], [2]] && [1].sortBy(a, [2].sortBy(b, a)[0]) == [1]",
    "[1, 2, 1, 3, 2].distinct() == [1, 2, 3] && [dyn(1), 1.0, 1u].distinct().size() == 1",
    "timestamp('2023-01-01T00:00:00Z').getHours('+25:30') == 1",
    "lists.range(3) == [0, 1, 2] && lists.range(0) == []",
    "[1, 2].first().value() == 1 && [1, 2].last().value() == 2 && !d.empty.first().hasValue()",
    "optional.unwrap([optional.of(1), optional.none()]) == [1]",
    "[optional.of(2), optional.none()].unwrapOpt() == [2]",
    # urls
    "url('https://user:pw@example.com:80/path%20x?query=val&a=b#f').getHost() == 'example.com:80'",
    "url('https://[::1]:80/').getHostname() == '::1' && url('https://h:8/').getPort() == '8'",
    "url('https://example.com/with space/').getEscapedPath() == '/with%20space/'",
    "url('https://h/p?k=a&k=b&x=').getQuery() == {'k': ['a', 'b'], 'x': ['']}",
    "url('/path').getScheme() == '' && url('HTTPS://x/').getScheme() == 'https'",
    "isURL('https://a') && !isURL('no') && !isURL('') && isURL('/absolute')",
    # quantities
    "quantity('1Gi').isGreaterThan(quantity('1000Mi')) && quantity('5').isLessThan(quantity('6'))",
    "quantity('200M').compareTo(quantity('0.2G')) == 0 && quantity('1') == quantity('1000m')",
    "quantity('50k').asInteger() == 50000 && !quantity('100m').isInteger()",
    "quantity('50k').add(20) == quantity('50020') && quantity('1').sub(quantity('2')).sign() == -1",
    "quantity('50.703k').asApproximateFloat() == 50703.0",
    "isQuantity('1.3Gi') && !isQuantity('1,3Gi') && !isQuantity('1 Gi') && !isQuantity('')",
    # addresses
    "ip('192.168.0.1').family() == 4 && ip('::1').family() == 6 && ip('::1').isLoopback()",
    "isIP('2001:db8::1') && !isIP('1.2.3') && !isIP('fe80::1%eth0') && !isIP('::ffff:1.2.3.4')",
    "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')",
    "ip('0.0.0.0').isUnspecified() && ip('224.0.0.1').isLinkLocalMulticast()",
    "!ip('224.0.1.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()",
    "ip('169.254.169.254').isLinkLocalUnicast() && ip('192.168.0.1').isGlobalUnicast()",
    "!ip('255.255.255.255').isGlobalUnicast() && !ip('ff00::1').isGlobalUnicast()",
    "string(ip('2001:DB8::1')) == '2001:db8::1' && ip('1.1.1.1') == ip('1.1.1.1')",
    "cidr('192.168.0.0/24').containsIP('192.168.0.5') && !cidr('10.0.0.0/8').containsIP('::1')",
    "cidr('192.168.0.0/24').containsIP(ip('192.168.0.5'))",
    "cidr('192.168.0.0/24').containsCIDR('192.168.0.128/25')",
    "!cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/16'))",
    "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')",
    "cidr('192.168.0.1/24').ip() == ip('192.168.0.1') && cidr('::/64').prefixLength() == 64",
    "string(cidr('10.0.0.1/8')) == '10.0.0.1/8' && isCIDR('::/0') && !isCIDR('1.2.3.4/33')",
    # formats
    "!format.dns1123Label().validate('my-label').hasValue()",
    "format.named('dns1035Label').value().validate('9a').hasValue()",
    (
        "!format.named('nope').hasValue() && !format.uuid().validate("
        "'123e4567-e89b-12d3-a456-426614174000').hasValue()"
    ),
    "format.date().validate('2021-02-30').value() == ['invalid date']",
    "!format.dns1123LabelPrefix().validate('my-').hasValue()",
    (
        "format.byte().validate('*').hasValue() && !format.datetime().validate("
        "'2021-01-01T00:00:00Z').hasValue()"
    ),
    # versions
    "semver('1.0.0').isLessThan(semver('1.2.3')) && semver('1.2.3').major() == 1",
    "semver('1.0.0-alpha.1').compareTo(semver('1.0.0-alpha.beta')) == -1",
    "semver('1.0.0-alpha').isLessThan(semver('1.0.0')) && semver('1.0.0+a') == semver('1.0.0+b')",
    "isSemver('1.0.0') && !isSemver('v1.0') && isSemver('v1.0', true) && !isSemver('01.0.0')",
    "semver('v01.2', true).minor() == 2 && semver('1.2.3').patch() == 3",
    # times
    "timestamp('2023-01-02T03:04:05.678Z').getFullYear() == 2023",
    "timestamp('2023-01-02T03:04:05.678Z').getMilliseconds() == 678",
    "duration('1m3s4ms').getMilliseconds() == 63004",
    "timestamp('2023-01-02T23:00:00Z').getHours('Europe/Berlin') == 0",
    "timestamp('2023-01-02T23:00:00Z').getDayOfMonth('+02:00') == 2",
    "timestamp('2023-01-01T00:00:00Z').getDayOfWeek() == 0 && duration('90m').getHours() == 1",
    "timestamp('2023-01-01T01:00:00+01:00') == timestamp('2023-01-01T00:00:00Z')",
    "timestamp('2023-01-01T00:00:00Z') + duration('36h') > timestamp('2023-01-02T00:00:00Z')",
    "string(duration('1h1.5s')) == '3601.5s' && duration('-1m') < duration('0s')",
    "string(timestamp(0)) == '1970-01-01T00:00:00Z' && int(timestamp(5)) == 5",
    # conversions
    "int('-5') == -5 && int(2.9) == 2 && int(3u) == 3 && uint('7') == 7u && uint(1.9) == 1u",
    "double('1e3') == 1000.0 && string(1.0) == '1' && string(.1) == '0.1'",
    "string(true) == 'true'",
    "bool('t') && bool('T') && !bool('FALSE') && bytes('ä').size() == 2 && string(b'abc') == 'abc'",
]


@pytest.mark.parametrize("text", TRUE)
def test_holds(text):
    assert ENV.compile(text).run({"d": {"empty": [], "numbers": [1, 9, 3]}}) is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("'abc'.charAt(4)", "index out of range: 4"),
        ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
        ("d.empty.min()", "min called on empty list"),
        ("[1].slice(0, 2)", "cannot slice(0, 2), list is length 1"),
        ("[1].slice(-1, 0)", "cannot slice(-1, 0), negative indexes not supported"),
        (
            "[1].slice(1, 0)",
            "cannot slice(1, 0), start index must be less than or equal to end index",
        ),
        ("[[1]].flatten(-1)", "level must be non-negative"),
        ("[dyn(1), dyn('a')].sort()", "list elements must have the same type"),
        ("[dyn([1])].sort()", "list elements must be comparable"),
        ("lists.range(-1)", "lists.range: size must be non-negative, got -1"),
        ("semver('1.2')", "No Major.Minor.Patch elements found"),
        ("semver('1.x.0')", 'Invalid character(s) found in minor number "x"'),
        ("semver('1.2.03')", 'Patch number must not contain leading zeroes "03"'),
        ("semver('1.2.3-')", "Prerelease is empty"),
        ("semver('1.2.3+a_b')", 'Invalid character(s) found in build meta data "a_b"'),
        (
            "semver('1.2-rc', true)",
            "short version cannot contain PreRelease/Build meta data",
        ),
        (
            "timestamp('2023-01-01T00:00:00Z').getHours('a:1')",
            'strconv.Atoi: parsing "a": invalid syntax',
        ),
        ("'%d'.format(['a'])", ("error during formatting: decimal clause can only be used on "
         "integers, was given string")),
        ("'%s %s'.format(['a'])", "index 1 out of range"),
        ("quantity(d.wrong)", ("quantities must match the regular expression "
         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")),
        ("ip('fe80::1%eth0')", 'IP address "fe80::1%eth0" with zone value is not allowed'),
        ("cidr('1.2.3.4')", ("network address parse error during conversion from string: "
         "netip.ParsePrefix(\"1.2.3.4\"): no '/'")),
        ("url('no')", ('URL parse error during conversion from string: parse "no": invalid URI for '
         "request")),
        ("quantity('100m').asInteger()", "cannot convert value to integer"),
        ("int('x')", "type conversion error from 'string' to 'int'"),
        ("bool('yes')", "type conversion error from 'string' to 'bool'"),
        (
            "duration('1' + 'd')",
            "type conversion error from 'string' to 'google.protobuf.Duration'",
        ),
        ("int('9999999999999999999')", "type conversion error from 'string' to 'int'"),
        ("uint(-1)", "unsigned integer overflow"),
        ("timestamp('2023-01-01T00:00:00Z').getHours('Nowhere')", "unknown time zone Nowhere"),
        ("d.wrong.matches(d.paren)", "error parsing regexp: missing ): ("),
    ],
)  # fmt: skip
def test_fails(text, why):
    with pytest.raises(EvalError) as caught:
        ENV.compile(text).run({"d": {"empty": [], "wrong": "1 x", "paren": "("}})
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("abc", "unable to parse IP"),
        ("", "unable to parse IP"),
        ("%eth0", "missing IPv6 address"),
        ("1.2.3", "IPv4 address too short"),
        ("1.2.3.4.5", "IPv4 address too long"),
        ("1.2.3.256", "IPv4 field has value >255"),
        ("1.2.3.04", "IPv4 field has octet with leading zero"),
        ("1..2.3", 'IPv4 field must have at least one digit (at ".2.3")'),
        ("1.2.3.", 'IPv4 field must have at least one digit (at ".")'),
        ("1.2.3.4/8", 'unexpected character (at "/8")'),
        ("::1%", "zone must be a non-empty string"),
        ("1:2", "address string too short"),
        ("1:2:3:4:5:6:7:8:9", 'trailing garbage after address (at "9")'),
        ("1:2:3:4:5:6:7:8::", "the :: must expand to at least one field of zeros"),
        ("::1:2:3:4:5:6:7:8", "the :: must expand to at least one field of zeros"),
        ("1::2::3", 'multiple :: in address (at ":3")'),
        ("1:2:", 'colon must be followed by more characters (at ":")'),
        (":1", 'each colon-separated field must have at least one digit (at ":1")'),
        ("::12345", 'each group must have 4 or less digits (at "12345")'),
        ("::g", 'each colon-separated field must have at least one digit (at "g")'),
        ("::1g", 'unexpected character, want colon (at "g")'),
        ("1:2:1.2.3.4", ("embedded IPv4 address must replace the final 2 fields of the address "
         '(at "1.2.3.4")')),
        ("::ffff:1.2.3", "IPv4 address too short"),
        ("::1:2:3:4:5:6:7:1.2.3.4", ("too many hex fields to fit an embedded IPv4 at the end of "
         'the address (at "1.2.3.4")')),
    ],
)  # fmt: skip
def test_no_addresses(text, why):
    front, _, rest = why.partition(" (at ")
    told = f'ParseAddr("{text}"): {front}' + (f" (at {rest}" if rest else "")
    with pytest.raises(EvalError) as caught:
        ENV.compile("ip(d)").run({"d": text})
    assert str(caught.value) == (
        f'IP Address "{text}" parse error during conversion from string: {told}'
    )
    with pytest.raises(EvalError) as caught:
        ENV.compile("cidr(d)").run({"d": f"{text}/8"})
    assert str(caught.value).endswith(f'netip.ParsePrefix("{text}/8"): {told}')


@given(st.text("0123456789abcf.:%/", max_size=24))
def test_any_text_is_an_address_or_told_why_not(text):
    told = "none"
    try:
        ENV.compile("ip(d)").run({"d": text})
    except EvalError as why:
        told = str(why)
    assert ("unable to parse IP" in told) is not bool(set(text) & set(".:%"))


def test_the_authorizer_is_asked_once_the_question_is_whole():
    asked = []

    def ask(question):
        asked.append(question)
        return Decision(question.verb == "get", reason="because")

    values = {"authorizer": Authorizer(ask)}
    text = (
        "authorizer.serviceAccount('ns', 'sa').group('apps').resource('deployments')"
        ".subresource('scale').namespace('n').name('x').fieldSelector('a=b').check('get').allowed()"
    )
    assert ENV.compile(text).run(values) is True
    assert ENV.compile("authorizer.path('/healthz').check('post').reason()").run(values) == (
        "because"
    )
    first, second = asked
    assert (first.user, first.group, first.resource) == (
        "system:serviceaccount:ns:sa", "apps", "deployments",
    )  # fmt: skip
    assert (first.subresource, first.namespace, first.name) == ("scale", "n", "x")
    assert (first.field_selector, second.path, second.user) == ("a=b", "/healthz", "")
