"""The records of COCO's files, checked as they are parsed. Imported when wanted: msgspec is an extra."""

import msgspec

Box = tuple[float, float, float, float]


class Image(msgspec.Struct, gc=False):
    id: int | str
    file_name: str | None = None
    height: float | None = None
    width: float | None = None


class Annotation(msgspec.Struct, gc=False):
    image_id: int | str
    category_id: int
    bbox: Box
    id: int | str | None = None
    area: float | None = None
    iscrowd: int | bool = 0
    difficult: int | bool = 0  # not COCO's: what Pascal VOC calls so, kept on the way through


class Category(msgspec.Struct, gc=False):
    id: int
    name: str


class GroundTruth(msgspec.Struct):
    images: list[Image]
    annotations: list[Annotation]
    categories: list[Category]


class Detection(msgspec.Struct, gc=False):
    image_id: int | str
    category_id: int
    bbox: Box
    score: float
    file_name: str | None = None  # not COCO's: names say what ids of another numbering mean
    category_name: str | None = None


Results = list[Detection]
