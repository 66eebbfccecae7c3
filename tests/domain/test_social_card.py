"""What may be seen of a social security card, and whose it is."""

from __future__ import annotations

import dataclasses

from kiosk.domain.social_card import CardItem, ItemStatus, SocialCard, SocialCardLevel

CARD = SocialCard(
    SocialCardLevel.FULL, region="990100", number="999901199003070017", card_number="X00000019", card_id="990100D156",
    name="测试员甲", historical=bytes(13), version="3.00", atr_region="9901", items={CardItem.NAME: ItemStatus.OK},
)


def test_nothing_of_it_shows() -> None:
    for text in (repr(CARD), str(CARD), f"{CARD}"):
        for secret in (CARD.number, CARD.name, CARD.card_number, CARD.card_id, CARD.region):
            assert secret is not None and secret not in text
    assert "full" in repr(CARD) and "full" in str(CARD)


def test_masked_forms() -> None:
    assert (CARD.masked_number, CARD.masked_name, CARD.masked_card_number) == ("999***********0017", "测**甲", "******019")
    empty = SocialCard(SocialCardLevel.ATR_ONLY)
    assert (empty.masked_number, empty.masked_name, empty.masked_card_number) == ("", "", "")


def test_every_record_has_its_field() -> None:
    names = {field.name for field in dataclasses.fields(SocialCard)}
    assert {item.value for item in CardItem} - names == {"name_more"}


def test_generation_from_the_version() -> None:
    versions = {"2.0": 2, "3.00": 3, "1.00": 1, None: None, "": None, "三": None}
    assert {version: dataclasses.replace(CARD, version=version).generation for version in versions} == versions


def test_it_can_be_hashed() -> None:
    assert hash(CARD) == hash(dataclasses.replace(CARD))
