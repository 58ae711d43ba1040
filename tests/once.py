"""What each app would compile anew, though it is the same in all: templates, addresses, and statements."""

from collections.abc import Callable
from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

DIALECTS = (SQLiteDialect_pysqlite, PGDialect_psycopg)

STATEMENTS: LRUCache[object, object] = LRUCache(2000)
"""For an engine's option ``compiled_cache``. Its keys begin with the dialect: see :func:`one_of_a_kind`."""


class Templates(BytecodeCache):
    """Compiled templates, in the memory of this process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what is known of a template's source."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


BUILDERS: dict[object, object] = {}


def builder_once(compile_builder: Callable[[Rule, bool], object]) -> Callable[[Rule, bool], object]:
    """Werkzeug writes two functions for each address of an app, which took a third of an app's making."""

    def builder(rule: Rule, append_unknown: bool = True) -> object:
        key = (rule.rule, rule.subdomain, rule.host, repr(rule.defaults), append_unknown)
        if key not in BUILDERS:
            BUILDERS[key] = compile_builder(rule, append_unknown)
        return BUILDERS[key]

    return builder


def one_of_a_kind(self: object, other: object) -> bool:
    """Each engine has its own dialect; all of a kind are configured alike, so they count as the same."""
    return type(self) is type(other)


def hash_of_its_kind(self: object) -> int:
    """What goes with :func:`one_of_a_kind`."""
    return hash(type(self))
