"""`[face]`: engine, bands, gates, challenge, enrolment. What each figure is worth stands in docs/face.md."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, model_validator

from kiosk.config.section import Section
from kiosk.domain.decision import FaceBands


class Engine(StrEnum):
    DLIB = "dlib"
    """face_recognition: HOG, 68 points, 128-D ResNet, L2 distance."""
    OPENCV = "opencv"
    """YuNet and SFace from ONNX files the operator supplies, cosine distance; 68 points by dlib."""


class GateConfig(Section):
    """Limits of a usable picture; the first that fails is the one sentence the person hears."""

    width_min: int = Field(110, ge=40, description="Smallest face width, in pixels of a 1280 wide frame.")
    height_max: float = Field(0.70, gt=0, le=1, description="Largest face height as a share of the frame height.")
    offset_max: float = Field(0.25, gt=0, description="Largest distance of the face from the middle, share of the frame width.")
    second_face: float = Field(1.5, ge=1, description="The person's face must be this many times as wide as the next one.")
    alone: bool = Field(False, description="Nobody else at all may be in the picture.")
    grey_min: float = Field(50.0, description="Darkest mean grey of the face.")
    grey_max: float = Field(200.0, description="Brightest mean grey of the face.")
    glare_max: float = Field(0.15, gt=0, description="Largest share of the face that is white (grey 247 and more).")
    side_max: float = Field(0.70, gt=0, description="Largest |ln| of the brightness of the face's halves: light from one side.")
    back_max: float = Field(1.0, gt=0, description="Largest ln of the brightness round the face over its own: light from behind.")
    sharpness_min: float = Field(30.0, description="Smallest Laplacian variance of the face after denoising.")
    yaw_max: float = Field(0.25, gt=0, description="Largest yaw ratio (about 0.023 per degree).")
    pitch_min: float = Field(0.36, description="Smallest pitch ratio: below, the chin is up (about 0.013 per degree).")
    pitch_max: float = Field(0.80, description="Largest pitch ratio: above, the chin is down.")
    roll_max: float = Field(12.0, gt=0, description="Largest roll in degrees.")
    mask_max: float = Field(0.6, description="Largest mask score; bare faces lie below in 99 of 100 photographs.")
    sunglasses_min: float = Field(0.45, ge=0, description="Smallest brightness of the eyes beside the cheeks.")
    eyes_min: float = Field(0.10, ge=0, description="Smallest eye aspect ratio (EAR): below, both eyes are shut.")
    patience_s: float = Field(
        8.0, ge=0,
        description="Light, sharpness, chin and tilt are asked for only so long, each; then the picture is taken as it is. "
        "0: for ever.",
    )


def _enrol_gate() -> GateConfig:
    """Stricter, because everything later is compared with these pictures."""
    return GateConfig(
        width_min=160, height_max=0.60, offset_max=0.15, alone=True, grey_min=80, grey_max=190, glare_max=0.05, side_max=0.35,
        sharpness_min=80, roll_max=8, patience_s=0,
    )


class FlashConfig(Section):
    """Colours of the screen, looked for in the face. Indoors only; off until tried at the place."""

    enabled: bool = Field(False, description="Whether the screen flashes colours in the challenge.")
    colours: int = Field(9, ge=5, le=15, description="How many colours, none twice in a row.")
    step_s: float = Field(0.4, ge=0.34, le=1.0, description="Time of one colour; at most three changes a second.")
    correlation_min: float = Field(0.75, gt=0, lt=1, description="Smallest correlation of shown and seen colours.")
    amplitude_min: float = Field(0.015, gt=0, description="Smallest share by which a face follows; a screen does not.")


class LivenessConfig(Section):
    free_actions: tuple[str, ...] = Field(("blink", "open_mouth"), min_length=1, description="Asked for beside the turns.")
    free_asked: int = Field(1, ge=1, le=2, description="How many of them, drawn at random: 2 is safer, and takes longer.")
    baseline_s: float = Field(0.8, ge=0.5, le=3, description="Still face before the first request.")
    action_s: float = Field(7.0, gt=0, description="Time to do what is asked.")
    wait_s: float = Field(1.0, ge=0, le=3, description="Longest random wait before a request.")
    retries: int = Field(1, ge=0, le=3, description="How often a challenge starts over before the try ends.")
    neutral_s: float = Field(0.3, ge=0, description="How long the face has to look ahead again after an action.")
    turn_yaw_min: float = Field(0.30, gt=0, description="Rule E: smallest change of the yaw ratio.")
    turn_nose_min: float = Field(0.04, gt=0, description="Rule E: smallest residual of the nose, in eye distances.")
    turn_ratio_min: float = Field(0.155, gt=0, description="Rule E: smallest residual per change of the yaw ratio.")
    turn_windows: int = Field(2, ge=1, description="In how many windows rule E has to hold.")
    turn_width_min: float = Field(
        0.885, ge=0, lt=1, description="Smallest width of the turned face, share of the still one, mean of both turns.",
    )
    mouth_min: float = Field(0.30, gt=0, description="Smallest mouth aspect ratio (MAR) of an open mouth.")
    mouth_rise: float = Field(0.18, gt=0, description="Smallest rise above the person's own closed mouth.")
    same_face_max: float = Field(0.35, gt=0, description="Largest distance between embeddings of one challenge.")
    border_sides: int = Field(3, ge=1, le=4, description="So many straight sides round the face speak of a print or a screen.")
    frozen_s: float = Field(1.0, gt=0, description="Pictures without any change for this long are no living feed.")
    pair_relief_min: float = Field(0.01, gt=0, description="Binocular: smallest relief of the face, in eye distances.")
    infrared_min: float = Field(30.0, ge=0, description="Binocular: smallest mean grey of the face in infrared.")
    flash: FlashConfig = Field(default_factory=FlashConfig, description="Colours of the screen.")


class CohortConfig(Section):
    """S-norm against the site's own enrolled people. Its thresholds have no start value: calibrate first."""

    enabled: bool = Field(
        False,
        description="Whether distances are normalised by the enrolled base. Helps only with people like those before the "
        "camera (measured: EER 5.0 to 3.2-4.0 %); with others it hurts (4.5 to 7.5-10.7 %).",
    )
    size_min: int = Field(30, ge=10, description="With fewer other people enrolled nothing is normalised.")
    nearest: int = Field(30, ge=5, description="So many of the nearest strangers make the statistics of a face.")
    pass_max: float | None = Field(None, description="Normalised score up to which a comparison passes.")
    review_max: float | None = Field(None, description="Normalised score up to which an officer decides.")

    @model_validator(mode="after")
    def _calibrated(self) -> CohortConfig:
        if self.enabled and (self.pass_max is None or self.review_max is None):
            raise ValueError("enabled: needs pass_max and review_max out of `kiosk face calibrate --s-norm`")
        if self.enabled and self.pass_max is not None and self.review_max is not None and self.pass_max > self.review_max:
            raise ValueError("pass_max must not be above review_max")
        return self


class EnrolConfig(Section):
    gate: GateConfig = Field(default_factory=_enrol_gate, description="Limits of a picture good enough to compare with later.")
    side_yaw: tuple[float, float] = Field((0.08, 0.40), description="Yaw ratio of a side capture from the frontal: least, most.")
    apart_max: float = Field(0.35, gt=0, description="Largest distance between the captures of one person.")
    lookalike_max: float = Field(0.42, gt=0, description="Another person of the base at most this far away is shown to staff.")
    photo_width: int = Field(640, ge=320, le=1024, description="Width of the pictures kept for the office, pixels.")
    renew_months: int = Field(24, ge=1, description="Templates older than this: the person is asked to be enrolled again.")


_OF_ONE_ENGINE = {"pass_max", "review_max", "review_max_chip", "threshold_set", "same_face_max", "apart_max", "lookalike_max"}


class FaceConfig(Section):
    engine: Engine = Field(Engine.DLIB, description="Which library detects and recognises. Changing it needs new templates.")
    yunet: Path | None = Field(None, description="YuNet ONNX file of the opencv engine.")
    yunet_sha256: str = Field("", description="Its SHA-256, where it is not one of those this version knows.")
    sface: Path | None = Field(None, description="SFace ONNX file of the opencv engine.")
    sface_sha256: str = Field("", description="Its SHA-256, where it is not the one this version knows.")
    threshold_set: str = Field("start-2026", max_length=60, description="Name of the calibration the bands come from.")
    pass_max: float = Field(0.42, gt=0, lt=2, description="Mean distance up to which a comparison passes.")
    review_max: float = Field(0.50, gt=0, lt=2, description="Mean distance up to which an officer decides.")
    review_max_chip: float = Field(0.52, gt=0, lt=2, description="The same where only a chip photograph can be compared.")
    templates_min: int = Field(2, ge=1, description="Fewer enrolled templates than this never pass automatically.")
    frames: int = Field(5, ge=1, le=15, description="Frames whose distances are averaged.")
    frames_spread_s: float = Field(1.0, ge=0, description="The frames are spread over at least this time.")
    try_timeout_s: float = Field(45.0, gt=0, description="After this long without a usable picture the try ends calmly.")
    detect_width: int = Field(640, ge=320, description="Width a frame is scaled to for the first detection.")
    clip_fps: float = Field(3.0, gt=0, le=10, description="Pictures a second of the evidence clip.")
    clip_width: int = Field(240, ge=120, le=640, description="Width of the evidence clip, pixels.")
    clip_frames: int = Field(36, ge=0, le=120, description="The most pictures an evidence clip has; 0 keeps none.")
    heartbeat_s: float = Field(3.0, gt=0, description="A face process silent for longer is replaced.")
    nice: int = Field(5, ge=0, le=19, description="Niceness of the face process.")
    gate: GateConfig = Field(default_factory=GateConfig, description="Limits of a picture good enough to verify with.")
    liveness: LivenessConfig = Field(default_factory=LivenessConfig, description="What is asked for, and its limits.")
    cohort: CohortConfig = Field(default_factory=CohortConfig, description="S-norm by the people enrolled here.")
    enrol: EnrolConfig = Field(default_factory=EnrolConfig, description="Attended enrolment.")

    @model_validator(mode="after")
    def _bands_in_order(self) -> FaceConfig:
        self.bands()
        return self

    @model_validator(mode="after")
    def _engine_is_calibrated(self) -> FaceConfig:
        """The start values were measured with dlib; another engine's distances mean something else."""
        if self.engine is Engine.OPENCV:
            if self.yunet is None or self.sface is None:
                raise ValueError("engine: opencv needs the files named by `yunet` and `sface`")
            own = self.model_fields_set | self.liveness.model_fields_set | self.enrol.model_fields_set
            missing = sorted(_OF_ONE_ENGINE - own)
            if missing:
                raise ValueError(f"engine: opencv needs its own {', '.join(missing)} (`kiosk face calibrate`)")
        return self

    def bands(self) -> FaceBands:
        """Of the score the decision is made by: normalised where a cohort is configured."""
        cohort = self.cohort
        if cohort.enabled and cohort.pass_max is not None and cohort.review_max is not None:
            return FaceBands(cohort.pass_max, cohort.review_max, self.templates_min)
        return FaceBands(self.pass_max, self.review_max, self.templates_min, self.review_max_chip)
