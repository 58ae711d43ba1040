"""What a distributed PostgreSQL (Citus) refuses of a statement, found out by reading it.

The tables of ``jobauto.storage.citus.DISTRIBUTED`` lie on many machines, by the key of the site; all others
are local ones of the coordinator, the connection's temporary tables included. Of each query in a statement:

1. Distributed tables that are joined are joined by their distribution columns.
2. In an outer join, a distributed table is not the inner side of something local. A named query (WITH) may
   be: it is fetched first.
3. A correlated subquery that reads distributed tables is correlated by the distribution column, from a
   distributed table. One that reads local tables reads them through a named query.
4. FOR UPDATE is for one key.
5. No recursive query reads distributed tables.
6. Every subquery selects a column: EXISTS (SELECT FROM ...) becomes one that no machine can parse.

And of a change to a distributed table:

7. The distribution column is given when a row is inserted, is part of what may conflict, and never updated.
8. Nothing volatile is computed, and nothing stable from columns, where rows are updated.

What it does not refuse, but does so that nobody can work with it:

9. An uncorrelated subquery into a distributed table is fetched first, by the coordinator: all that it finds.
   As a value or in EXISTS it has a LIMIT, or is an aggregate without groups, or is for one key. A list (IN)
   is fetched on purpose.
10. ANALYZE and VACUUM name their tables. One that does not takes all of the database's, on connections of
    its own to the machines, and there waits for the locks of its own transaction.
11. A job is changed by its number beside its site's key. By its number alone all shards are asked to change
    it, and all machines have to commit.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp, parse_one

from jobauto.storage.citus import DISTRIBUTED

UNSTABLE = {"now", "random", "nextval", "clock_timestamp", "to_char", "gen_random_uuid"}
PARTITION = re.compile("reading_([0-9]{4}_[0-9]{2}|older)")
"""What the partitions of the readings are called: they lie where the readings do."""
UPKEEP = re.compile(
    r"\s*(ANALYZE|VACUUM)\b(\s*\([^)]*\)|\s+(FULL|FREEZE|VERBOSE|ANALYZE)\b)*(?P<tables>[^;]*)", re.IGNORECASE
)
READ = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "ANALYZE", "VACUUM"}
"""What the statements begin with that are read; the others set things up."""
Name = tuple[str, str]
"""(source, column)."""


@dataclass
class Source:
    """Something that a query reads: a table, or a query of its own."""

    name: str
    distributed: bool
    is_table: bool = True
    keys: set[str] = field(default_factory=set)
    """Its columns that are the distribution column."""


@dataclass
class Block:
    """A query with its sources, inside another one."""

    node: exp.Expr
    sources: dict[str, Source]
    outer: "Block | None"
    equal: dict[Name, Name] = field(default_factory=dict)

    def source(self, name: str) -> "Source | None":
        """A source by its name, of this query or of those around it."""
        return self.sources.get(name) or (self.outer.source(name) if self.outer else None)

    def root(self, name: Name) -> Name:
        """What stands for all columns that are equal to this one."""
        while name in self.equal:
            name = self.equal[name]
        return name

    def is_key(self, name: Name) -> bool:
        """Whether a column is a distribution column."""
        source = self.source(name[0])
        return source is not None and name[1] in source.keys

    @property
    def distributed(self) -> list[Source]:
        """Its own sources that are distributed."""
        return [source for source in self.sources.values() if source.distributed]


def violations(statement: str) -> list[str]:
    """Why Citus would refuse a statement, or nobody could wait for it; empty where neither is so."""
    if upkeep := UPKEEP.match(statement):
        return [] if upkeep["tables"].strip() else ["an ANALYZE or VACUUM that names no table"]
    return list(_Reader().read(parse_one(statement, dialect="postgres")))


def refused(statements: Iterable[str]) -> dict[str, list[str]]:
    """Of statements that were sent, those with violations."""
    read = [statement for statement in statements if statement.split()[0].upper() in READ]
    assert read
    return {statement: found for statement in read if (found := violations(statement))}


def _distributed_by(table: str) -> str | None:
    """The distribution column of a table; None of a local one."""
    return DISTRIBUTED["reading"] if PARTITION.fullmatch(table) else DISTRIBUTED.get(table)


class _Reader:
    def __init__(self) -> None:
        self.named: dict[str, Source] = {}

    def read(self, node: exp.Expr, outer: Block | None = None) -> Iterator[str]:
        """The violations of a statement, or of a query inside one."""
        yield from self._read_named(node)
        if isinstance(node, exp.SetOperation):
            yield from self.read(node.left, outer)
            yield from self.read(node.right, outer)
        elif isinstance(node, exp.Insert):
            yield from self._read_insert(node)
        elif isinstance(node, exp.Subquery):
            yield from self.read(node.this, outer)
        elif isinstance(node, exp.Select | exp.Update | exp.Delete):
            yield from self._read_query(node, outer)

    def _read_named(self, node: exp.Expr) -> Iterator[str]:
        named = node.args.get("with_") or node.args.get("with")
        for query in named.expressions if named else ():
            self.named[query.alias] = source = Source(query.alias, False, is_table=False)
            yield from self.read(query.this)
            source.distributed = _reads_distributed(query.this)
            source.keys = self._keys_selected(query.this)
            if named and named.args.get("recursive") and source.distributed:
                yield f"a recursive query reads distributed tables: {query.alias}"

    def _read_insert(self, node: exp.Insert) -> Iterator[str]:
        target = node.this.this if isinstance(node.this, exp.Schema) else node.this
        column = _distributed_by(target.name)
        if column:
            given = [part.name for part in node.this.expressions] if isinstance(node.this, exp.Schema) else []
            if column not in given:
                yield f"{target.name} is inserted into without {column}"
            yield from _conflict(node, target.name, column)
            if isinstance(node.expression, exp.Values) and node.expression.find(exp.Select):
                yield f"a subquery among the values for {target.name}"
        if isinstance(node.expression, exp.Query):
            yield from self.read(node.expression)

    def _read_query(self, node: exp.Expr, outer: Block | None) -> Iterator[str]:
        block = Block(node, {}, outer)
        joins: list[exp.Join] = list(node.args.get("joins") or ())
        for first in _first_sources(node):
            self._add(block, first)
            joins += first.args.get("joins") or ()
        for join in joins:
            yield from self._join(block, join)
        _equate(block, _conditions(node))
        yield from _unjoined(block)
        yield from _locks(block)
        yield from _updates(block)
        for subquery in _nested(node):
            yield from _without_columns(subquery)
            if subquery.parent and isinstance(subquery.parent.parent, exp.From | exp.Join):
                yield from self.read(subquery)
            else:
                yield from self._correlated(subquery, block)
                yield from self.read(subquery, block)

    def _add(self, block: Block, node: exp.Expr) -> Source:
        source = self._source(node)
        block.sources[source.name] = source
        return source

    def _source(self, node: exp.Expr) -> Source:
        name = node.alias_or_name
        if isinstance(node, exp.Table):
            if node.name in self.named:
                query = self.named[node.name]
                return Source(name, query.distributed, is_table=False, keys=query.keys)
            column = _distributed_by(node.name)
            return Source(name, column is not None, keys={column} if column else set())
        return Source(name, _reads_distributed(node), is_table=False, keys=self._keys_selected(node))

    def _join(self, block: Block, join: exp.Join) -> Iterator[str]:
        before = block.distributed
        source = self._add(block, join.this)
        using = join.args.get("using") or ()
        for column in using:
            for other in list(block.sources.values())[:-1]:
                _unite(block, (other.name, column.name), (source.name, column.name))
        if not join.side:
            _equate(block, join.args.get("on"))
            return
        if join.side != "LEFT":
            yield f"a {join.side} JOIN: {source.name}"
        fetched_first = not source.is_table
        if source.distributed and not before and not fetched_first:
            yield f"a distributed table is the inner side of an outer join of local ones: {source.name}"
        _equate(block, join.args.get("on"))

    def _correlated(self, subquery: exp.Expr, outer: Block) -> Iterator[str]:
        inner = Block(subquery, {}, outer)
        for node in subquery.find_all(exp.Table):
            self._add(inner, node)
        foreign = {
            (column.table, column.name)
            for column in subquery.find_all(exp.Column)
            if column.table and column.table not in inner.sources and outer.source(column.table)
        }
        _equate(inner, *(_conditions(query) for query in subquery.find_all(exp.Select)))
        if not foreign:
            yield from _fetched(subquery, inner)
            return
        local = [
            source.name for source in inner.sources.values() if source.is_table and not source.distributed
        ]
        outer_is_distributed = any(source.distributed for source in outer.sources.values())
        if inner.distributed:
            keys = {inner.root((s.name, key)) for s in inner.distributed for key in s.keys}
            if not any(inner.root(name) in keys and inner.is_key(name) for name in foreign):
                yield f"a subquery into {inner.distributed[0].name} is not correlated by the site's key"
        if local and (outer_is_distributed or inner.distributed):
            yield f"a correlated subquery reads a local table beside distributed ones: {', '.join(local)}"

    def _keys_selected(self, node: exp.Expr) -> set[str]:
        query = node.this if isinstance(node, exp.Subquery | exp.CTE) else node
        while isinstance(query, exp.SetOperation):
            query = query.left
        if not isinstance(query, exp.Select):
            return set()
        block = Block(query, {}, None)
        for source in _all_sources(query):
            self._add(block, source)
        return {
            item.alias_or_name
            for item in query.expressions
            if isinstance(column := item.unalias(), exp.Column)
            and (block.is_key((column.table, column.name)) or _only_key(block, column))
        }


def _only_key(block: Block, column: exp.Column) -> bool:
    return (
        not column.table
        and len(block.sources) == 1
        and column.name in next(iter(block.sources.values())).keys
    )


def _first_sources(node: exp.Expr) -> list[exp.Expr]:
    found = [node.this] if isinstance(node, exp.Update | exp.Delete) else []
    reads = node.args.get("from_") or node.args.get("from")
    return found + ([reads.this] if reads else []) + list(node.args.get("using") or ())


def _all_sources(node: exp.Expr) -> list[exp.Expr]:
    first = _first_sources(node)
    joins = [
        *(node.args.get("joins") or ()),
        *(join for source in first for join in source.args.get("joins") or ()),
    ]
    return first + [join.this for join in joins]


def _reads_distributed(node: exp.Expr) -> bool:
    return any(_distributed_by(table.name) for table in node.find_all(exp.Table))


def _conditions(node: exp.Expr) -> exp.Expr | None:
    where = node.args.get("where")
    return where.this if where else None


def _equate(block: Block, *conditions: exp.Expr | None) -> None:
    for condition in conditions:
        parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
        for part in [part.unnest() for part in parts if part]:
            if isinstance(part, exp.And):
                _equate(block, part)
            elif isinstance(part, exp.EQ):
                left, right = (_side(block, side) for side in (part.left, part.right))
                _unite(block, left, right)


def _side(block: Block, side: exp.Expr) -> Name:
    if isinstance(side, exp.Column):
        only = next(iter(block.sources)) if not side.table and len(block.sources) == 1 else ""
        return side.table or only, side.name
    return "", "a value"


def _unite(block: Block, left: Name, right: Name) -> None:
    left, right = block.root(left), block.root(right)
    if left != right:
        if left == ("", "a value"):
            left, right = right, left
        block.equal[left] = right


def _unjoined(block: Block) -> Iterator[str]:
    tables = [source for source in block.distributed if source.is_table]
    groups = {frozenset(block.root((source.name, key)) for key in source.keys) for source in tables}
    if len(groups) > 1:
        names = ", ".join(source.name for source in tables)
        yield f"distributed tables are not joined by the distribution column: {names}"


def _without_columns(query: exp.Expr) -> Iterator[str]:
    if isinstance(query, exp.Select) and not query.expressions:
        yield "a subquery selects no column"


def _fetched(query: exp.Expr, block: Block) -> Iterator[str]:
    """Of an uncorrelated query: whether the coordinator fetches more of it than a value needs."""
    is_list = isinstance(query.parent and query.parent.parent, exp.In | exp.Any)
    if not block.distributed or is_list or query.args.get("limit") or _is_one_row(query):
        return
    for source in block.distributed:
        if all(block.root((source.name, key)) != ("", "a value") for key in source.keys):
            yield f"a value is sought in {source.name}, and all that is found is fetched: it has no LIMIT"


def _is_one_row(query: exp.Expr) -> bool:
    return (
        isinstance(query, exp.Select)
        and not query.args.get("group")
        and any(item.find(exp.AggFunc) for item in query.expressions)
    )


def _locks(block: Block) -> Iterator[str]:
    if not block.node.args.get("locks"):
        return
    for source in block.distributed:
        if all(block.root((source.name, key)) != ("", "a value") for key in source.keys):
            yield f"FOR UPDATE without the key of {source.name}"


def _updates(block: Block) -> Iterator[str]:
    if not isinstance(block.node, exp.Update) or block.node.this.name not in DISTRIBUTED:
        return
    table = block.node.this
    by_value = {column for column in ("id", DISTRIBUTED[table.name]) if _is_value(block, table, column)}
    if by_value == {"id"}:
        yield f"a row of {table.name} is changed by its number alone"
    for change in block.node.expressions:
        if change.this.name == DISTRIBUTED[block.node.this.name]:
            yield f"the distribution column of {block.node.this.name} is updated"
        if not change.expression.find(exp.Select):
            yield from _unstable(change.expression)


def _is_value(block: Block, table: exp.Expr, column: str) -> bool:
    return block.root((table.alias_or_name, column)) == ("", "a value")


def _unstable(node: exp.Expr) -> Iterator[str]:
    for call in node.find_all(exp.Func, exp.AtTimeZone):
        name = call.name if isinstance(call, exp.Anonymous) else call.key
        if name.lower() in UNSTABLE or isinstance(call, exp.AtTimeZone | exp.CurrentTimestamp):
            yield f"an update computes {name}"


def _conflict(node: exp.Insert, table: str, column: str) -> Iterator[str]:
    conflict = node.args.get("conflict")
    if conflict is None:
        return
    if column not in {key.name for key in conflict.args.get("conflict_keys") or ()}:
        yield f"what may conflict in {table} does not contain {column}"
    for change in conflict.expressions or ():
        if change.this.name == column:
            yield f"the distribution column of {table} is updated"


def _nested(node: exp.Expr) -> Iterator[exp.Expr]:
    """The queries directly inside a query."""
    for name, value in node.args.items():
        if name in ("with", "with_"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Query) and not isinstance(child, exp.Subquery):
                yield child
            elif isinstance(child, exp.Expr):
                yield from _nested(child)
