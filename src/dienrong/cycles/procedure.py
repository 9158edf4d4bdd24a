"""The 14 steps of the national procedure as data.

The wording follows Circular 51/2011/TT-BGDĐT, the only published full procedure; Circular 08/2026/TT-BGDĐT keeps
the order. Week offsets count from the first day of testing. A cycle copies these rows when it is created, so that a
later wording never changes an old cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemplate:
    """A step before it belongs to a cycle."""

    number: int
    name_vi: str
    name_en: str
    purpose_vi: str
    purpose_en: str
    owner_role: str
    weeks_from_test: int

    def due(self, first_test_date: date) -> date:
        """The day by which the step should be done."""
        return first_test_date + timedelta(weeks=self.weeks_from_test)


STEPS: tuple[StepTemplate, ...] = (
    StepTemplate(
        number=1,
        name_vi="Lập Ban chỉ đạo đánh giá quốc gia",
        name_en="Set up the national steering committee",
        purpose_vi="Quyết định thành lập Ban chỉ đạo, phân công nhiệm vụ. Văn bản giấy, lưu ngoài hệ thống.",
        purpose_en="Decision and assignment of duties. A paper decision, kept outside the system.",
        owner_role="ministry_expert",
        weeks_from_test=-60,
    ),
    StepTemplate(
        number=2,
        name_vi="Xây dựng đề cương tổng thể",
        name_en="Write the overall outline",
        purpose_vi="Mục tiêu, đối tượng, nội dung, phương thức và sản phẩm. Văn bản lưu ngoài hệ thống.",
        purpose_en="Aims, populations, content, mode and products. A document kept outside the system.",
        owner_role="ministry_expert",
        weeks_from_test=-56,
    ),
    StepTemplate(
        number=3,
        name_vi="Lập kế hoạch đánh giá",
        name_en="Plan the assessment",
        purpose_vi="Lịch, kinh phí, phân công từng cấp. Văn bản lưu ngoài hệ thống.",
        purpose_en="Calendar, budget and duties at each level. A document kept outside the system.",
        owner_role="ministry_expert",
        weeks_from_test=-52,
    ),
    StepTemplate(
        number=4,
        name_vi="Xây dựng cơ sở dữ liệu để chọn mẫu",
        name_en="Build the data base for sampling",
        purpose_vi="Danh mục đơn vị, trường và khung mẫu đã kiểm tra của từng khối lớp.",
        purpose_en="Units, schools and the checked sampling frame of each grade.",
        owner_role="ministry_expert",
        weeks_from_test=-22,
    ),
    StepTemplate(
        number=5,
        name_vi="Chọn mẫu thử nghiệm và mẫu chính thức",
        name_en="Draw the trial and the main sample",
        purpose_vi="Mẫu trường theo xác suất tỷ lệ quy mô, trường thay thế, mẫu học sinh và phân cuốn đề.",
        purpose_en="Schools drawn with probability proportional to size, replacements, students and booklets.",
        owner_role="ministry_expert",
        weeks_from_test=-20,
    ),
    StepTemplate(
        number=6,
        name_vi="Thiết kế, thử nghiệm, thẩm định, hoàn thiện công cụ",
        name_en="Design, try out, review and finish the instruments",
        purpose_vi="Câu hỏi, khối câu hỏi, cuốn đề và tham số của câu hỏi neo.",
        purpose_en="Items, clusters, booklets and the parameters of the trend items.",
        owner_role="ministry_expert",
        weeks_from_test=-8,
    ),
    StepTemplate(
        number=7,
        name_vi="Tập huấn",
        name_en="Train the people",
        purpose_vi="Tập huấn cán bộ coi khảo sát, mã hóa, giám sát. Danh sách lưu ngoài hệ thống ở bản này.",
        purpose_en="Test administrators, coders and monitors. Lists are kept outside the system in this version.",
        owner_role="province_officer",
        weeks_from_test=-4,
    ),
    StepTemplate(
        number=8,
        name_vi="Tổ chức đánh giá chính thức",
        name_en="Administer the main survey",
        purpose_vi="Tham gia của trường và học sinh, câu trả lời gốc của từng cuốn đề.",
        purpose_en="Participation of schools and students, and the raw responses to each booklet.",
        owner_role="province_officer",
        weeks_from_test=2,
    ),
    StepTemplate(
        number=9,
        name_vi="Chấm bài, nhập dữ liệu, làm sạch dữ liệu",
        name_en="Code the answers, enter and clean the data",
        purpose_vi="Câu trả lời đã chấm theo đáp án và quy tắc bỏ trống, chưa làm tới.",
        purpose_en="Responses scored by the key and by the rules for omitted and not-reached items.",
        owner_role="coder",
        weeks_from_test=14,
    ),
    StepTemplate(
        number=10,
        name_vi="Xử lý, phân tích dữ liệu",
        name_en="Process and analyse the data",
        purpose_vi="Trọng số, định cỡ thang đo, giá trị khả dĩ và các ước lượng kèm sai số chuẩn.",
        purpose_en="Weights, scaling, plausible values and estimates with their standard errors.",
        owner_role="ministry_expert",
        weeks_from_test=22,
    ),
    StepTemplate(
        number=11,
        name_vi="Viết báo cáo tổng hợp",
        name_en="Write the overall report",
        purpose_vi="Báo cáo quốc gia và báo cáo của 34 tỉnh, thành phố; mỗi số liệu có nguồn gốc.",
        purpose_en="The national report and those of the 34 provinces; each figure knows where it comes from.",
        owner_role="ministry_expert",
        weeks_from_test=26,
    ),
    StepTemplate(
        number=12,
        name_vi="Thẩm định, hoàn thiện báo cáo",
        name_en="Review and finish the report",
        purpose_vi="Ý kiến thẩm định và bản báo cáo cuối cùng. Biên bản lưu ngoài hệ thống.",
        purpose_en="Reviewers' opinions and the final report. Minutes are kept outside the system.",
        owner_role="ministry_expert",
        weeks_from_test=28,
    ),
    StepTemplate(
        number=13,
        name_vi="Hội thảo công bố",
        name_en="Publish the results",
        purpose_vi="Công bố báo cáo cho mọi người đọc; từ lúc này ai cũng mở được số liệu và nguồn gốc.",
        purpose_en="The report opens to everyone, with the figures and where they come from.",
        owner_role="ministry_expert",
        weeks_from_test=32,
    ),
    StepTemplate(
        number=14,
        name_vi="Lấy ý kiến phản hồi",
        name_en="Collect feedback",
        purpose_vi="Ý kiến của địa phương, nhà trường, nhà nghiên cứu. Phiếu lưu ngoài hệ thống ở bản này.",
        purpose_en="Opinions of provinces, schools and researchers. Forms are kept outside in this version.",
        owner_role="province_officer",
        weeks_from_test=36,
    ),
)

_STEP_OF_STAGE = {
    "nation": 4,
    "frame": 4,
    "sample": 5,
    "administration": 8,
    "scoring": 9,
    "weights": 10,
    "calibration": 10,
    "values": 10,
    "estimates": 10,
    "linking": 10,
    "report_vi": 11,
    "report_en": 11,
    "report": 11,
}
_EARLIER = "earlier_"
_INSTRUMENT_ROLES = ("item", "booklet")


def step_number(stage: str, role: str) -> int:
    """Say behind which step an output of a stage stands; instruments stand behind step 6."""
    if stage in {"nation", "frame", "sample"} and any(word in role for word in _INSTRUMENT_ROLES):
        return 6
    if stage.startswith(_EARLIER):  # the previous cycle stands where the link to it is computed
        return _STEP_OF_STAGE["linking"]
    return _STEP_OF_STAGE[stage]
