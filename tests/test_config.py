from pathlib import Path

import pytest

from kiosk.config import ConfigError, KioskConfig, Mode, load_config


def write(folder: Path, text: str) -> Path:
    file = folder / "kiosk.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults_are_a_production_terminal() -> None:
    config = load_config(None)
    assert config.mode is Mode.PRODUCTION and config.face.bands().pass_max == 0.42
    assert config.certification.period_rule().cycle_months == 12


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_SITE__NAME", "B")
    assert load_config(write(tmp_path, '[site]\nname = "A"\n')).site.name == "B"


@pytest.mark.parametrize(("text", "line", "says"), [
    ("[face]\npass_max = 0.42\nreveiw_max = 0.5\n", 3, "is not a known setting; known here: clip_fps"),
    ('[ui]\n\nwidth = "wide"\n', 3, "valid integer"),
    ("[certification]\ncycle_months = 0\n", 2, "greater than or equal to 1"),
    ('[certification]\nbasis = "lunar"\n', 2, "'rolling', 'days365' or 'calendar_year'"),
    ('[site]\nother_phones = ["1", 2]\n', 2, "valid string"),
    ('[camera]\nsource = "http://127.0.0.1:1/"\n', 2, "in production only a device"),
    ("[face]\npass_max = 0.6\n", 1, "pass_max <= review_max"),
    ('[a4]\nprinter = "ipp://printer.local/ipp/print"\n', 2, "a number, no name"),
    ('[a4]\nserver = "ipps://192.0.2.7"\n', 2, "no ipps"),
    ('[a4]\nqueue = "two words"\n', 2, "match pattern"),
    ("[a4]\nenabled = true\n", 1, "without the printer's own address"),
    ("[kamera]\nsource = 1\n", 1, "is not a known setting; known here: a4, camera"),
])
def test_a_fault_names_its_line_and_what_is_allowed(tmp_path: Path, text: str, line: int, says: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load_config(file)
    assert f"{file}:{line}: " in str(error.value) and says in str(error.value)


def test_a_mistyped_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_SITE", "not json")
    with pytest.raises(ConfigError, match="site"):
        load_config(None)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, '[ui]\nwidth = "x"\nheight = "y"\n'))
    assert len(str(error.value).splitlines()) == 2


def test_broken_toml_and_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        load_config(write(tmp_path, "mode = \n"))
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(binary)


def test_an_emulated_camera_is_refused_in_production(tmp_path: Path) -> None:
    text = '[camera]\nsource = "http://127.0.0.1:1/stream"\n'
    with pytest.raises(ConfigError, match="production"):
        load_config(write(tmp_path, text))
    assert load_config(write(tmp_path, 'mode = "demo"\n' + text)).mode is Mode.DEMO


NUMBERED = {
    "idcard": 'port = "/dev/ttyUSB0"',
    "printer": 'port = "/dev/ttyACM12"',
    "socialcard": 'adapter = "crt310"\nport = "/dev/ttyUSB1"',
    "scanner": 'enabled = true\nport = "/dev/ttyACM0"',
}


@pytest.mark.parametrize("section", NUMBERED)
def test_a_numbered_port_is_refused_in_production(tmp_path: Path, section: str) -> None:
    text = f"[{section}]\n{NUMBERED[section]}\n"
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load_config(file)
    line = len(text.splitlines())
    assert f"{file}:{line}: {section}.port: in production only a stable name such as /dev/kiosk/{section}" in str(error.value)
    assert load_config(write(tmp_path, 'mode = "demo"\n' + text)).mode is Mode.DEMO


@pytest.mark.parametrize("text", [
    '[idcard]\nport = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"\n',
    '[printer]\nport = "/dev/ttyS0"\n',
    '[scanner]\nport = "/dev/ttyACM0"\n',
    '[socialcard]\nport = "/dev/ttyUSB0"\n',
])
def test_stable_names_and_devices_that_are_not_fitted_pass(tmp_path: Path, text: str) -> None:
    load_config(write(tmp_path, text))


def test_every_field_says_what_it_is_for() -> None:
    for section in KioskConfig.model_fields.values():
        for name, field in getattr(section.annotation, "model_fields", {}).items():
            assert field.description, name
