"""nginx: configurations, answers, proxying, logs, reload."""

from __future__ import annotations

import pytest

from nodes.client.loopclock import LoopClock
from nodes.network.http import request
from nodes.network.tls import Trust, read_bundle
from nodes.runtime.cri import Mount
from nodes.runtime.simulated.images.nginxconf import ConfigError, parse, read_config
from tests.support.certificates import Authority

pytestmark = pytest.mark.looptime

CONF = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/conf"


async def serve(lab, conf, **files):
    """Run nginx with this server configuration and these pages."""
    write(lab, conf)
    root = f"{CONF}-html"
    lab.files.replace(
        root,
        {name.replace("__", "/").replace("_", "."): (data, 0o644) for name, data in files.items()},
    )
    return await lab.pod(
        "nginx:1.27",
        name="web",
        mounts=(Mount("/etc/nginx/conf.d", CONF, readonly=True), Mount("/srv", root)),
    )


def write(lab, conf):
    lab.files.replace(CONF, {"default.conf": (conf.encode(), 0o644)})


async def ask(lab, pod, path="/", **options):
    return await request(lab.net, "192.168.0.11", f"http://{pod.ip}{path}", **options)


LOCATIONS = """
server {
    listen 80;
    root /srv;
    add_header X-Host $hostname;
    location = /exact { return 200 "exact\\n"; }
    location /old { return 301 /new; }
    location /gone { return 410; }
    location ^~ /static/ { alias /srv/files/; }
    location ~ \\.php$ { return 200 "php $uri"; }
    location /args { return 200 "$request_method $arg_a $http_x_token $remote_addr"; }
    location /spa { try_files $uri /index.html; }
    location /only { try_files $uri =404; }
    location /stub { stub_status; }
    rewrite ^/from/(.*)$ /exact last;
    error_page 404 /missing.html;
}
"""


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, b"index"),
        ("/index.html", 200, b"index"),
        ("/exact", 200, b"exact\n"),
        ("/exactly", 404, b"missing"),
        ("/old/x", 301, None),
        ("/gone", 410, None),
        ("/static/a.txt", 200, b"a"),
        ("/static/x.php", 404, b"missing"),
        ("/x.php", 200, b"php /x.php"),
        ("/args?b=1&a=2", 200, b"GET 2 t 192.168.0.11"),
        ("/spa/route", 200, b"index"),
        ("/only/x", 404, b"missing"),
        ("/from/anything", 200, b"exact\n"),
        ("/sub", 301, None),
        ("/empty/", 403, None),
        ("/../../etc/passwd", 404, b"missing"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, b"missing"),
    ],
)
async def test_locations(lab, path, status, body):
    pod = await serve(
        lab,
        LOCATIONS,
        index_html=b"index",
        missing_html=b"missing",
        files__a_txt=b"a",
        sub__index_html=b"sub",
        empty__x_txt=b"",
    )
    answer = await ask(lab, pod, path, headers={"X-Token": "t"})
    assert answer.status == status
    if body is not None:
        assert answer.body == body
    if status == 200:
        assert answer.headers.get("X-Host") == "web"
    if path == "/old/x":
        assert answer.headers.get("Location") == f"http://{pod.ip}/new"


async def test_default_page_and_log(lab):
    pod = await lab.pod("nginx")
    answer = await ask(lab, pod, headers={"User-Agent": "kube-probe/1.36"})
    assert (answer.status, answer.headers.get("Content-Type")) == (200, "text/html")
    assert b"Welcome to nginx!" in answer.body
    await ask(lab, pod, "/nope")
    log = (await pod.log()).splitlines()
    assert '192.168.0.11 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200' in log[-3]
    assert log[-3].endswith('"-" "kube-probe/1.36" "-"')
    assert 'open() "/usr/share/nginx/html/nope" failed (2: No such file or directory)' in log[-2]
    assert '"GET /nope HTTP/1.1" 404 153' in log[-1]


async def test_conditional_and_head_requests(lab):
    pod = await lab.pod("nginx")
    first = await ask(lab, pod)
    tag = first.headers.get("ETag")
    assert (await ask(lab, pod, headers={"If-None-Match": tag})).status == 304
    head = await ask(lab, pod, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert (await ask(lab, pod, method="POST", body=b"x")).status == 405


async def test_proxying(lab):
    echo = "server { listen 80; location / { return 200 '$uri $http_x_via $host'; } }"
    backend = await serve(lab, echo)
    lab.service("backend", backend.ip)
    front = (
        "upstream pool { server 10.244.1.250:80; server backend:80; }"
        "server { listen 80;"
        "location /api/ { proxy_pass http://backend/v1/; proxy_set_header X-Via $remote_addr;"
        " proxy_set_header Host $http_host; }"
        "location /pool { proxy_pass http://pool; }"
        "location /dead { proxy_pass http://backend:81; }"
        "location /nobody { proxy_pass http://nobody; } }"
    )
    web = await serve(lab, front)
    answer = await ask(lab, web, "/api/x?y=1")
    assert answer.body.decode() == f"/v1/x 192.168.0.11 {web.ip}"
    assert (await ask(lab, web, "/pool")).body.startswith(b"/pool")
    assert (await ask(lab, web, "/dead")).status == 502
    assert (await ask(lab, web, "/nobody")).status == 502
    assert "while connecting to upstream" in await web.log()


async def test_servers_are_chosen_by_port_and_name(lab):
    pod = await serve(
        lab,
        "server { listen 80; server_name a.test; return 200 a; }"
        "server { listen 80; server_name *.b.test; return 200 b; }"
        "server { listen 80 default_server; return 200 d; }"
        "server { listen 8080; return 200 e; }",
    )

    async def said(host, port=80):
        answer = await request(
            lab.net, "192.168.0.11", f"http://{pod.ip}:{port}/", headers={"Host": host}
        )
        return answer.body

    assert [await said(host) for host in ("a.test", "x.b.test", "c")] == [b"a", b"b", b"d"]
    assert await said("a.test", 8080) == b"e"


async def test_reload(lab):
    pod = await serve(lab, "server { listen 80; return 200 one; }")
    write(lab, "server { listen 80; return 200 two; } server { listen 81; return 200 new; }")
    assert (await ask(lab, pod)).body == b"one"
    assert (await pod.run("nginx", "-s", "reload")).exit_code == 0
    assert (await ask(lab, pod)).body == b"two"
    assert (await request(lab.net, pod.ip, "http://localhost:81/")).body == b"new"
    write(lab, "server { listen 80 return 200; }")
    tested = await pod.run("nginx", "-t")
    assert (tested.exit_code, b"test failed" in tested.stderr) == (1, True)
    await pod.run("nginx", "-s", "reload")
    assert (await ask(lab, pod)).body == b"two"


async def test_a_broken_configuration_does_not_start(lab):
    pod = await serve(lab, "server { listen 80; bogus on; }")
    assert (await pod.status()).exit_code == 1
    assert (
        '[emerg] 1#1: unknown directive "bogus" in /etc/nginx/nginx.conf' in await pod.log()
        or 'unknown directive "bogus" in ' in await pod.log()
    )


async def test_nginx_in_a_script(lab):
    pod = await lab.pod(
        "nginx",
        "sh",
        "-c",
        "echo made > /usr/share/nginx/html/index.html && nginx -g 'daemon off;'",
    )
    await lab.clock.sleep(1)
    assert (await ask(lab, pod)).body == b"made\n"
    behind = await lab.pod("nginx", "sh", "-c", "nginx; echo started; sleep 1000")
    await lab.clock.sleep(1)
    assert (await ask(lab, behind)).status == 200
    assert "started" in await behind.log()


@pytest.mark.parametrize(
    ("conf", "why"),
    [
        ("http { server { listen 80 }", 'unexpected "}" in {file}:1'),
        ("http {\n server {\n", "unexpected end of file, expecting"),
        ("}", 'unexpected "}" in {file}:1'),
        ("http { ; }", 'unexpected ";" in {file}:1'),
        ("http {\n\n nope 1;\n}", 'unknown directive "nope" in {file}:3'),
        ("http { server { listen 99999; } }", 'invalid port in "99999" of the "listen" directive'),
        ("http { server { root; } }", 'invalid number of arguments in "root" directive'),
        ("http { server { location ~ ( { } } }", "pcre2_compile() failed"),
        ("a {" * 20, "too many nested blocks"),
    ],
)
def test_configurations_that_are_refused(conf, why):
    with pytest.raises(ConfigError) as caught:
        read_config(parse(conf), lambda path: [])
    assert why in str(caught.value)


def test_grammar():
    [first, second] = parse('a \'b c\' "d;\\"" ${e}f; # x {\nb { c; }')
    assert (first.name, first.args) == ("a", ["b c", 'd;"', "${e}f"])
    assert [inner.name for inner in second.block] == ["c"]


SECURE = """
server {
    listen 443 ssl;
    listen 80;
    ssl_certificate /srv/tls.crt;
    ssl_certificate_key tls.key;
    location / { return 200 "$scheme $host\\n"; }
}
"""


async def test_a_server_under_tls(lab):
    ca = Authority("the-ca", LoopClock())
    certificate, key = ca.issue("web.default.svc")
    conf = SECURE.replace("tls.key;", "/srv/tls.key;")
    pod = await serve(lab, conf, tls_crt=certificate, tls_key=key)
    trust = Trust(read_bundle(ca.pem), "web.default.svc")
    answer = await request(lab.net, "192.168.0.11", f"https://{pod.ip}/", trust=trust)
    assert answer.body == f"https {pod.ip}\n".encode()
    assert (await ask(lab, pod)).body.startswith(b"http ")
    plain = await request(lab.net, "192.168.0.11", f"http://{pod.ip}:443/")
    assert plain.status == 400
    assert b"The plain HTTP request was sent to HTTPS port" in plain.body


async def test_curl_looks_at_certificates(lab):
    ca = Authority("the-ca", LoopClock())
    certificate, key = ca.issue("web.default.svc")
    conf = SECURE.replace("tls.key;", "/srv/tls.key;")
    web = await serve(lab, conf, tls_crt=certificate, tls_key=key)
    pod = await lab.pod("curlimages/curl", "sleep", "1000")
    assert await pod.sh(f"curl -sk https://{web.ip}") == f"https {web.ip}\n"
    said, code = await pod.sh(f"curl -sS https://{web.ip}")
    assert code == 60
    assert said.startswith("curl: (60) SSL certificate problem: unable to get local issuer")
    await pod.sh(f"cat > /tmp/ca.crt <<'END'\n{ca.pem.decode()}END\n")
    said, code = await pod.sh(f"curl -sS --cacert /tmp/ca.crt https://{web.ip}")
    assert code == 60
    assert said.startswith("curl: (60) SSL: no alternative certificate subject name matches")
    said, code = await pod.sh(f"curl -sS https://{web.ip}:80")
    assert (code, said) == (
        35,
        "curl: (35) TLS connect error: error:0A00010B:SSL routines::wrong version number\n",
    )


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("server { listen 443 ssl; }", '[emerg] 1#1: no "ssl_certificate" is defined for the "lis'),
        (SECURE, '[emerg] 1#1: cannot load certificate "/srv/tls.crt": BIO_new_file() failed'),
    ],
)
async def test_a_server_without_its_certificate(lab, conf, said):
    pod = await serve(lab, conf)
    assert said in await pod.log()
