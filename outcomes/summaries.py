"""The one row a patient that the panel reads, said from their trends."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

# What the panel shows, and the measures that tell it, best first. One that has been silent for 12 weeks gives way.
SHOWN = {
    "pain": ("daily-diary.pain-average", "nrs-pain.total"),
    "fear": ("tsk-11.total", "daily-diary.fear", "fear-daily.total"),
    "depression": ("phq-9.total", "phq-8.total"),
    "adherence": ("adherence.day",),
}
SILENT_DAYS = 84

# Values that nobody enters: a day without a session has one too.
COMPUTED = ["adherence.day", "adherence.week"]


def add_summaries(patients: Sequence[int], now: datetime) -> None:
    """Give each of these patients a summary row that says nothing yet, unless there is one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO outcomes_summary (
                patient_id, clinic_id, pain_label, fear_label, depression_label, adherence_label, computed_at)
            SELECT id, clinic_id, 'unknown', 'unknown', 'unknown', 'unknown', %s
            FROM people_patient WHERE id = ANY (%s) ORDER BY id
            ON CONFLICT DO NOTHING
            """,
            [now, list(patients)],
        )


def write_summaries(patients: Sequence[int], now: datetime) -> None:
    """Say what the trends of these patients say."""
    shown = [(code, place, rank) for place, codes in SHOWN.items() for rank, code in enumerate(codes)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH known AS (
                SELECT trend.*, shown.place, shown.rank, max(last_day) OVER patient AS newest,
                    max(last_day) FILTER (WHERE code <> ALL (%(computed)s)) OVER patient AS last_entry_day
                FROM outcomes_trend AS trend
                JOIN outcomes_measure AS measure ON measure.id = trend.measure_id
                LEFT JOIN unnest(%(codes)s::text[], %(places)s::text[], %(ranks)s::int[]) AS shown (code, place, rank)
                    USING (code)
                WHERE patient_id = ANY (%(patients)s)
                WINDOW patient AS (PARTITION BY patient_id)
            ), best AS (
                SELECT DISTINCT ON (patient_id, place) * FROM known
                WHERE last_day > newest - %(silent_days)s
                ORDER BY patient_id, place, rank
            )
            UPDATE outcomes_summary AS summary SET
                clinic_id = patient.clinic_id,
                last_entry_day = told.last_entry_day,
                pain = told.pain,
                pain_change = told.pain_change,
                pain_label = coalesce(told.pain_label, 'unknown'),
                fear = told.fear,
                fear_change = told.fear_change,
                fear_label = coalesce(told.fear_label, 'unknown'),
                depression = told.depression,
                depression_change = told.depression_change,
                depression_label = coalesce(told.depression_label, 'unknown'),
                adherence = told.adherence,
                adherence_change = told.adherence_change,
                adherence_label = coalesce(told.adherence_label, 'unknown'),
                computed_at = %(now)s
            FROM people_patient AS patient
            LEFT JOIN (
                SELECT
                    patient_id,
                    max(last_entry_day) AS last_entry_day,
                    max(last_value) FILTER (WHERE place = 'pain') AS pain,
                    max(change) FILTER (WHERE place = 'pain') AS pain_change,
                    max(change_label) FILTER (WHERE place = 'pain') AS pain_label,
                    max(last_value) FILTER (WHERE place = 'fear') AS fear,
                    max(change) FILTER (WHERE place = 'fear') AS fear_change,
                    max(change_label) FILTER (WHERE place = 'fear') AS fear_label,
                    max(last_value) FILTER (WHERE place = 'depression') AS depression,
                    max(change) FILTER (WHERE place = 'depression') AS depression_change,
                    max(change_label) FILTER (WHERE place = 'depression') AS depression_label,
                    max(coalesce(level, last_value)) FILTER (WHERE place = 'adherence') AS adherence,
                    max(change) FILTER (WHERE place = 'adherence') AS adherence_change,
                    max(change_label) FILTER (WHERE place = 'adherence') AS adherence_label
                FROM best GROUP BY patient_id
            ) AS told ON told.patient_id = patient.id
            WHERE patient.id = ANY (%(patients)s) AND summary.patient_id = patient.id
            """,
            {
                "patients": list(patients),
                "computed": COMPUTED,
                "codes": [code for code, _, _ in shown],
                "places": [place for _, place, _ in shown],
                "ranks": [rank for _, _, rank in shown],
                "silent_days": SILENT_DAYS,
                "now": now,
            },
        )
