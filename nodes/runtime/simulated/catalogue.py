"""All images that the simulation knows by their contents, in one list."""

from __future__ import annotations

from nodes.runtime.simulated.image import ImageFamily
from nodes.runtime.simulated.images.agnhost import AGNHOST
from nodes.runtime.simulated.images.databases import MEMCACHED, MONGO, MYSQL, POSTGRES
from nodes.runtime.simulated.images.demos import ECHO, HELLO_APP, HELLO_WORLD, PERL, PHP_APACHE
from nodes.runtime.simulated.images.httpd import HTTPD
from nodes.runtime.simulated.images.nginx import NGINX, NGINX_UNPRIVILEGED
from nodes.runtime.simulated.images.pause import PAUSE
from nodes.runtime.simulated.images.python import PYTHON
from nodes.runtime.simulated.images.quiet import QUIET as QUIET_FAMILY
from nodes.runtime.simulated.images.redis import REDIS
from nodes.runtime.simulated.images.sampleapi import SAMPLE_API
from nodes.runtime.simulated.images.shells import (
    ALPINE,
    BUSYBOX_IMAGE,
    CURL,
    DEBIAN_IMAGE,
    UBUNTU,
)
from nodes.runtime.simulated.images.stress import STRESS
from nodes.runtime.simulated.volume import Files

FAMILIES: tuple[ImageFamily, ...] = (
    AGNHOST,
    ALPINE,
    BUSYBOX_IMAGE,
    CURL,
    DEBIAN_IMAGE,
    ECHO,
    HELLO_APP,
    HELLO_WORLD,
    HTTPD,
    MEMCACHED,
    MONGO,
    MYSQL,
    NGINX,
    NGINX_UNPRIVILEGED,
    PAUSE,
    PERL,
    PHP_APACHE,
    POSTGRES,
    PYTHON,
    REDIS,
    SAMPLE_API,
    STRESS,
    UBUNTU,
)
QUIET = QUIET_FAMILY

# Other repositories of docker.io/library that are taken to exist.
_OFFICIAL = (
    "adminer aerospike almalinux amazoncorretto amazonlinux arangodb archlinux caddy cassandra "
    "chronograf cirros clojure composer consul couchbase couchdb crate dart docker drupal "
    "eclipse-mosquitto eclipse-temurin elasticsearch elixir erlang flink friendica gcc "
    "geonetwork ghost golang gradle groovy haproxy haskell influxdb irssi jetty joomla jruby "
    "julia kapacitor kibana kong logstash mageia mariadb matomo maven mediawiki mono nats neo4j "
    "neurodebian nextcloud node odoo open-liberty openjdk opensuse oraclelinux orientdb percona "
    "php php-zendserver plone postfixadmin pypy r-base rabbitmq rakudo-star registry rethinkdb "
    "rocket.chat ruby rust sapmachine silverpeas solr sonarqube spark storm swift swipl "
    "telegraf tomcat tomee traefik varnish vault websphere-liberty wordpress xwiki zookeeper"
)
OFFICIAL = frozenset(_OFFICIAL.split())


def lower_files(family: ImageFamily) -> Files:
    """Return the files of an image, shared by all of its containers."""
    return family.files
