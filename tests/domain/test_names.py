import pytest

from kiosk.domain.names import mask_name


@pytest.mark.parametrize(("name", "masked"), [
    ("张三", "张*"), ("张建国", "张*国"), ("欧阳建国", "欧**国"), ("王𬭎", "王*"),
    ("买买提·艾力", "买****力"), ("王", "王*"), ("", ""),
])
def test_masking(name: str, masked: str) -> None:
    assert mask_name(name) == masked
