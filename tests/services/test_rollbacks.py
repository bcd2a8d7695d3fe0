"""Rollbacks over a store: recorded before they move anything, carried out once, seen through by whoever comes next."""

import pytest

from gatewright.core.errors import ApprovalError, ConflictError, NotFoundError, TargetError
from gatewright.core.records import sha256_hex
from gatewright.core.rollback_order import RollbackOrder, rollback_statement
from gatewright.core.rollback_proof import AcceptedRollback
from gatewright.core.signatures import ROLLBACK
from gatewright.core.tokens import token_of
from gatewright.core.way_back import way_back
from tests.core.examples import in_force
from tests.faults.stories import release
from tests.faults.world import CHANNEL, MODEL, World

FIRST, SECOND, THIRD = b"model 1", b"model 2", b"model 3"
REASON = "It answers wrongly."


class Shop:
    """Three models were deployed, one after the other."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def moves(self):
        return [move for _, move in self.world.auditor().channels.history(MODEL, CHANNEL)]

    @property
    def serves(self) -> str:
        return str(self.moves[-1].model_sha256)

    def order(self, operation: str = "back-1", who: str = "dana.reyes", **changes) -> RollbackOrder:
        given = {"model": MODEL, "to_release": None, "actor": who, "reason": REASON, "operation": operation}
        return RollbackOrder.model_validate({**given, **changes})

    def signed(self, operation: str = "back-1", who: str = "dana.reyes") -> RollbackOrder:
        """For one step back from where the channel stands now."""
        said = rollback_statement(
            way_back(self.moves, MODEL, CHANNEL), in_force(self.world.policy), in_force(self.world.roster),
            operation=operation, principal=who, reason=REASON, issued=self.world.now(),
        ).to_bytes()  # fmt: skip
        token = token_of(said, self.world.signers[who].sign(said, namespace=ROLLBACK))
        return self.order(operation, who, token=token)

    def carry_out(self, order: RollbackOrder):
        policy, roster = in_force(self.world.policy), in_force(self.world.roster)
        return self.world.process().rollbacks.carry_out(order, policy, roster)

    def recorded(self, operation: str = "back-1") -> AcceptedRollback | None:
        return self.world.auditor().rollback_records.find(MODEL, CHANNEL, operation)

    def noted(self):
        return [entry for entry in self.world.auditor().ledger.entries(MODEL) if entry.kind == "rolled_back"]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Not to be changed."""
    world = World(tmp_path_factory.mktemp("world"))
    for number, body in enumerate((FIRST, SECOND, THIRD), start=1):
        release(world, world.process(), f"r{number}", body)
    return world


@pytest.fixture
def shop(deployed: World) -> Shop:
    """The third model serves."""
    return Shop(deployed.copy())


def test_who_and_how_surely_is_in_the_ledger_with_the_digest_of_the_proof(shop: Shop) -> None:
    """The proof itself is kept beside it, and was kept before the channel moved."""
    order = shop.signed()
    served = shop.carry_out(order)
    record = shop.recorded()
    assert (record.proof, record.principal, record.assurance) == (order.token, "dana.reyes", "signed")
    (event,) = shop.noted()
    assert (event.actor, event.note, event.assurance) == ("dana.reyes", REASON, "signed")
    assert event.digests == {"move": served.digest, "model": sha256_hex(SECOND), "rollback": record.digest}
    written = [key.split("/")[0] for operation, key in shop.world.faulty.asked if operation == "create"]
    assert written[-4:] == ["rollbacks", "channels", "channels", "ledger"]


def test_a_typed_name_is_recorded_as_one(shop: Shop) -> None:
    """It proves nothing, and says so."""
    shop.carry_out(shop.order())
    assert (shop.recorded().assurance, shop.recorded().proof, shop.noted()[0].assurance) == ("declared", "", "declared")


def test_a_replayed_order_moves_nothing(shop: Shop) -> None:
    """At once, after another rollback, and after that one was undone: its model serves again only by a new order."""
    order = shop.signed()
    first = shop.carry_out(order)
    assert shop.carry_out(order) == first
    shop.carry_out(shop.signed("back-2"))
    shop.carry_out(shop.order("forward", to_release="r3"))
    before = shop.moves
    assert shop.carry_out(order) == first
    assert shop.moves == before
    assert len(shop.noted()) == 3


def test_an_order_that_was_put_back_is_spent(shop: Shop) -> None:
    """Whoever has its token cannot try again once the service is well, nor after others have moved the channel."""
    shop.world.target.lies = "0" * 64
    orders = [shop.signed(), shop.order("back-2")]
    with pytest.raises(TargetError):
        shop.carry_out(orders[0])
    with pytest.raises(TargetError):
        shop.carry_out(orders[1])
    shop.world.target.lies = None
    for _ in range(2):
        before = shop.moves
        for order in orders:
            with pytest.raises(ConflictError, match="this name is spent"):
                shop.carry_out(order)
        assert shop.moves == before
        shop.carry_out(shop.order(f"back-{len(before)}"))


def test_a_release_s_name_is_no_name_of_a_rollback(shop: Shop) -> None:
    """What it deployed would be taken for what the rollback did."""
    for name in ("r2", "r3"):
        with pytest.raises(ConflictError, match="this name is spent"):
            shop.carry_out(shop.order(name))
    assert shop.noted() == []


def test_another_order_under_a_recorded_name_is_refused(shop: Shop) -> None:
    """The record is written once: nobody exchanges who and why before the channel moves."""
    services = shop.world.process()
    shop.carry_out(shop.order())
    first = services.rollback_records.find(MODEL, CHANNEL, "back-1")
    planned = first.model_copy(update={"operation": "back-2"})
    services.rollback_records.add(planned)
    with pytest.raises(ConflictError, match="another order was recorded"):
        shop.carry_out(shop.order("back-2", "lee.wong"))
    assert shop.serves == sha256_hex(SECOND)


def test_what_was_begun_is_seen_through_by_somebody_else_in_the_name_of_who_began_it(shop: Shop) -> None:
    """The run died between the move and its confirmation; an order of an hour ago is no obstacle."""
    order = shop.signed()
    shop.world.target.wait_until_serving = _die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        shop.carry_out(order)
    del shop.world.target.wait_until_serving
    with pytest.raises(ApprovalError, match="is not in version"):
        shop.carry_out(shop.order(who="nobody.known"))
    served = shop.carry_out(shop.order(who="lee.wong"))
    assert (served.actor, served.model_sha256) == ("dana.reyes", sha256_hex(SECOND))
    assert (shop.noted()[0].actor, shop.noted()[0].assurance) == ("dana.reyes", "signed")
    assert [move.action for move in shop.moves[-2:]] == ["rollback", "confirm"]


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_refused_order_leaves_nothing_behind(shop: Shop) -> None:
    """No record, no move, no event: its name can be used again."""
    with pytest.raises(ApprovalError):
        shop.carry_out(shop.order(who="nobody.known"))
    with pytest.raises(NotFoundError):
        shop.carry_out(shop.order(to_release="r9"))
    assert (shop.recorded(), shop.noted(), shop.serves) == (None, [], sha256_hex(THIRD))
