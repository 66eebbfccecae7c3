"""What a terminal's codes mean to staff, in plain Chinese. A code that is not here is shown as it came."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.domain.status import DeviceKind, DeviceState

KINDS = {
    DeviceKind.IDCARD.value: "身份证阅读器",
    DeviceKind.SOCIALCARD.value: "社保卡读卡器",
    DeviceKind.SCANNER.value: "扫码器",
    DeviceKind.PRINTER.value: "凭条打印机",
    DeviceKind.A4.value: "A4打印机",
    DeviceKind.CAMERA.value: "摄像头",
    DeviceKind.FACE.value: "人脸比对程序",
}
STATES = {
    DeviceState.READY.value: "正常",
    DeviceState.BUSY.value: "使用中",
    DeviceState.DEGRADED.value: "能用，需留意",
    DeviceState.OFFLINE.value: "故障",
    DeviceState.UNKNOWN.value: "状态不明",
}


@dataclass(frozen=True, slots=True)
class Words:
    wrong: str
    to_do: str = ""


_REPLUG = "把连线两头拔下，等十秒再插紧"
_POWER = "看电源灯亮不亮；关掉电源，等十秒再打开"
_RESTART = "重启终端；还不行请联系技术员"
_TECHNICIAN = "请联系技术员"
_IF_IT_STAYS = "一直这样请联系技术员"
_CLEAR = "清掉卡住的纸，关掉电源再打开；还不行请报修"

_REASONS = {
    # any device
    "no_port": Words("没有接上", _REPLUG),
    "port_denied": Words("没有使用权限", _TECHNICIAN),
    "busy_port": Words("被别的程序占用", _RESTART),
    "line_lost": Words("断线", _REPLUG),
    "line_errors": Words("线路差，传输常出错", "把连线两头插紧；还不行请技术员换线"),
    "stalled": Words("不收数据", _REPLUG),
    "babbling": Words("不停地乱发数据", _POWER),
    "mute": Words("没有应答", _POWER),
    "wrong_speed": Words("通信速率设得不对", _TECHNICIAN),
    "wrong_device": Words("接的不是这种设备", "请技术员检查接线"),
    "program_fault": Words("程序出错，会自动重试", _IF_IT_STAYS),
    "no_device": Words("没有接上", _REPLUG),
    "fault": Words("设备报告故障", _POWER),
    "unnamed": Words("原因不明", _TECHNICIAN),
    # identity-card reader
    "self_test_failed": Words("自检没有通过", _POWER),
    "not_authorised": Words("安全模块没有授权", "请报修"),
    # social security card reader
    "abnormal_card": Words("里面有取不出的卡", "请技术员取出"),
    "card_not_taken": Words("卡没有被取走", "请取出卡妥善保管，通知本人来领"),
    "eject_failed": Words("退不出卡", "请技术员取出"),
    "entry_refused": Words("卡口打不开", _POWER),
    "not_fitted": Words("缺少部件", "请报修"),
    "reader_supply": Words("供电不正常", "检查电源适配器；还不行请报修"),
    "reader_power_lost": Words("断过电", _IF_IT_STAYS),
    "no_reader": Words("没有接上", _REPLUG),
    "busy_reader": Words("被别的程序占用", _RESTART),
    "no_pcscd": Words("读卡服务没有运行", _RESTART),
    "pcsc_error": Words("读卡服务出错", _RESTART),
    "driver_died": Words("驱动程序意外结束，会自动重启", _IF_IT_STAYS),
    # scanner
    "unproven": Words("还没有扫到过码，不知好坏", "不放心时扫一次试试"),
    # printers
    "paper_low": Words("纸快用完", "请准备换纸"),
    "paper_out": Words("缺纸", "请换纸"),
    "paper_jam": Words("卡纸", _CLEAR),
    "jam": Words("卡纸", _CLEAR),
    "wrong_paper": Words("纸的规格不对", "请放A4纸"),
    "cover_open": Words("盖子没关", "请把盖子压紧"),
    "cutter_error": Words("切刀故障", _CLEAR),
    "head_fault": Words("打印头过热或故障", "等几分钟；还不行请报修"),
    "printer.fault": Words("过热或卡纸", "清掉卡住的纸，等几分钟；还不行请报修"),
    "unrecoverable": Words("打印机故障", "关掉电源，等十秒再打开；还不行请报修"),
    "ticket_waiting": Words("出纸口有没取走的凭条", "请取走"),
    "no_status": Words("这个型号不报告状态，不知好坏", "有人说打不出来时，请到现场看"),
    "toner_low": Words("墨粉快用完", "请准备换墨粉"),
    "toner_out": Words("墨粉用完", "请换墨粉"),
    "stopped": Words("停住了", "看打印机屏幕上的提示"),
    "unclear": Words("说不清自己的状态", "看打印机屏幕上的提示"),
    "unreachable": Words("连不上", "看打印机是否开机、网线或USB线是否插好"),
    "refused": Words("不接受任务", _RESTART),
    "no_spooler": Words("打印服务没有运行", _RESTART),
    "no_queue": Words("打印队列没有设好", _TECHNICIAN),
    "queue_stopped": Words("打印队列停了", _TECHNICIAN),
    "busy_queue": Words("被别的程序占用", _RESTART),
    "old_job": Words("还有没打完的旧任务", _RESTART),
    "not_taken_back": Words("有一个任务没能取消，可能还会打出来", "先关掉打印机电源，再打印别的"),
    "interrupted": Words("程序停止，打印中断", "看最后一张是否完整"),
    # camera
    "not_opened": Words("打不开", _RESTART),
    "virtual_camera": Words("接的不是USB摄像头", "请换回原配的摄像头"),
    "no_format": Words("画面太小，看不清人脸", "请换原配的摄像头"),
    "stale": Words("没有画面", _REPLUG),
    "frozen": Words("画面停住不动", _REPLUG),
    "time_stuck": Words("重复旧画面", _REPLUG),
    "size_changed": Words("画面大小变来变去", "请换一个插口"),
    "torn": Words("画面不完整", "把线插紧或换一个插口"),
    "driver_hangs": Words("卡死", "拔下再插上；还不行请重启终端"),
    "black": Words("画面全黑", "看镜头有没有被遮住、灯亮不亮"),
    "ir_lost": Words("红外部分没有画面", _REPLUG),
    "settings_refused": Words("不接受亮度等设置", _TECHNICIAN),
    # face process
    "face.stalled": Words("没有响应，会自动重启", _IF_IT_STAYS),
    "died": Words("意外结束，会自动重启", _IF_IT_STAYS),
    "not_started": Words("没有启动", _RESTART),
    "models_missing": Words("模型文件缺失", _TECHNICIAN),
    "models_changed": Words("模型文件被改动", _TECHNICIAN),
    "models_unusable": Words("模型文件无法使用", _TECHNICIAN),
    "library_broken": Words("程序库损坏", _TECHNICIAN),
}
_FOUND = "found_"
"""Before the kind of the device that answers at the port instead."""
_UNSAID = {
    DeviceState.READY.value: Words(""),
    DeviceState.BUSY.value: Words(""),
    DeviceState.UNKNOWN.value: Words("还没有报告", "刚开机请等两分钟；一直这样请重启终端"),
}


def words(kind: str, state: str, reason: str) -> Words:
    """What is wrong and what to do about it."""
    if not reason:
        return _UNSAID.get(state, Words("原因不明", _TECHNICIAN))
    if reason.startswith(_FOUND):
        other = reason.removeprefix(_FOUND)
        return Words(f"这个端口上接的是{KINDS.get(other, other)}", "线插错了，请技术员对调")
    known = _REASONS.get(f"{kind}.{reason}") or _REASONS.get(reason)
    return known or Words(f"代码 {reason}", "请联系技术员，告诉他这个代码")
