"""`--photo FILE` of the commands that read a card: its photo as a picture file, through the operator's decoder."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.common import fail

if TYPE_CHECKING:
    from kiosk.config import IdCardConfig
    from kiosk.domain.document import IdCard

PhotoFile = Annotated[
    Path | None, typer.Option(help="Write the photo to this .png or .bmp file; needs --show and a configured photo decoder.")
]


def check_photo_option(photo: Path | None, show: bool) -> None:
    """Before anything is read. Ends the command when the option cannot be obeyed."""
    if photo is None:
        return
    if not show:
        fail("--photo shows the person: it needs --show, and the person's consent")
    if photo.suffix.lower() not in (".png", ".bmp"):
        fail(f"{photo}: the name must end in .png or .bmp")


def write_photo(card: IdCard, photo: Path, config: IdCardConfig) -> None:
    """A file only its owner may read. Ends the command with the reason when there is no picture."""
    from PIL import Image

    from kiosk.devices.idcard.photo import HEIGHT, WIDTH, CardPhoto, PhotoDecoder

    if card.photo_wlt is None:
        fail("photo: the card holds none")
    picture = PhotoDecoder(config.photo_decoder, config.photo_decoder_s).decode(card.photo_wlt)
    if not isinstance(picture, CardPhoto):
        fail(f"photo: {picture.value}")
    content = io.BytesIO()
    Image.frombytes("RGB", (WIDTH, HEIGHT), picture.rgb).save(content, photo.suffix[1:].upper())
    try:
        with open(os.open(photo, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # the mode above holds for a new file only
            file.truncate()
            file.write(content.getvalue())
    except OSError as error:
        fail(f"{photo}: cannot be written: {error.strerror}")
