"""Finding exercises: filters, typos, languages, pages, and what a client need not fetch again."""

import json
from typing import Any

import msgspec
import pytest
from django.test import Client

from backend.people.models import CareTeam, Patient
from exercises.examples import EXERCISE as EXAMPLE
from exercises.library import library
from exercises.loading import load_exercises, row_of
from exercises.models import Exercise
from tests.factories import a_clinic, a_clinician, a_patient, a_team
from tests.signin import browser, phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return a_patient()


@pytest.fixture
def client(patient: Patient) -> Client:
    return phone(patient)


def slugs(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/api/v1/exercises?limit=200&{query}")
    assert answer.status_code == 200, answer.content
    return [row["slug"] for row in answer.json()["results"]]


def test_the_whole_catalogue_is_there(client: Client) -> None:
    assert slugs(client) == sorted(library().exercises)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("modality=hiit", lambda each: each.modality == "hiit"),
        ("level=3", lambda each: each.level == 3),
        ("position=supine&modality=yoga", lambda each: each.position == "supine" and each.modality == "yoga"),
        ("target=ageing", lambda each: "ageing" in each.targets),
        ("equipment=mat,chair", lambda each: set(each.equipment) <= {"mat", "chair"}),
        ("equipment=", lambda each: not each.equipment),
    ],
)
def test_filters_narrow_it_down(client: Client, query: str, fits: Any) -> None:
    found = slugs(client, query)
    assert found == sorted(slug for slug, each in library().exercises.items() if fits(each))
    assert found


@pytest.mark.parametrize("query", ["modality=zumba", "level=9", "position=upside-down", "equipment=mat,trapeze"])
def test_a_code_that_is_none_is_refused_by_name(client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/exercises?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0] | {"detail": ""} == {
        "field": query.partition("=")[0],
        "code": "unknown_code",
        "detail": "",
    }


@pytest.mark.parametrize(("typed", "meant"), [
    ("brigde", "bridge"), ("clamm", "clam"), ("cobra", "low-cobra"), ("sqaut", "squat-and-lift"),
])  # fmt: skip
def test_a_letter_may_be_wrong(client: Client, typed: str, meant: str) -> None:
    assert meant in slugs(client, f"q={typed}")[:6]


def test_what_is_called_so_comes_before_what_only_speaks_of_it(client: Client) -> None:
    assert all("walk" in slug for slug in slugs(client, "q=walkng")[:5])


def test_a_modality_is_found_by_its_name(client: Client) -> None:
    assert set(slugs(client, "modality=qigong")) <= set(slugs(client, "q=qigon"))


def test_nonsense_finds_nothing(client: Client) -> None:
    assert slugs(client, "q=zzzzqqqq") == []


def test_pages_follow_each_other_without_gap_or_double(client: Client) -> None:
    found: list[str] = []
    address = "/api/v1/exercises?limit=30"
    while address:
        page = client.get(address).json()
        found += [row["slug"] for row in page["results"]]
        address = page["next"]
    assert found == sorted(library().exercises)


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    first = client.get("/api/v1/exercises?modality=yoga")
    again = client.get("/api/v1/exercises?modality=yoga", headers={"if-none-match": first["ETag"]})
    other = client.get("/api/v1/exercises?modality=hiit", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


def test_a_changed_exercise_is_sent_again(client: Client) -> None:
    first = client.get("/api/v1/exercises/cat-cow")
    Exercise.objects.filter(slug="cat-cow").update(digest="old")
    load_exercises()
    assert client.get("/api/v1/exercises/cat-cow", headers={"if-none-match": first["ETag"]}).status_code == 304
    Exercise.objects.filter(slug="cat-cow").update(digest="new")
    assert client.get("/api/v1/exercises/cat-cow", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_one_exercise_holds_all_that_a_patient_needs(client: Client) -> None:
    found = client.get("/api/v1/exercises/cycle-one-minute").json()
    assert found["dose"] == {
        "kind": "intervals",
        "work_seconds": 60,
        "rest_seconds": 60,
        "rounds": 5,
        "work_rpe": [7, 9],
        "rest_rpe": [2, 3],
        "work_heart_rate": [85, 95],
        "sessions_per_week": 2,
    }
    assert found["clearance"]
    assert found["licence"] == "CC0-1.0"
    assert all(text.startswith("Hypothesis: ") for text in found["hypotheses"])
    assert {"purpose", "start", "steps", "breathing", "feel", "stop", "easier", "harder"} <= set(found["words"])


def test_an_unknown_exercise_is_not_found(client: Client) -> None:
    assert client.get("/api/v1/exercises/somersault").status_code == 404


def test_the_codes_come_with_their_words(client: Client) -> None:
    assert "osteoporosis" in client.get("/api/v1/exercise-codes").json()["conditions"]


def test_a_clinics_own_exercise_is_its_own_and_hides_the_shared_one(patient: Patient, client: Client) -> None:
    own = msgspec.structs.replace(library().exercises["cat-cow"], level=2)
    row_of(own, patient.clinic_id).save()
    row_of(msgspec.structs.replace(own, slug="elsewhere"), a_clinic().pk).save()
    found = {row["slug"]: row for row in client.get("/api/v1/exercises?limit=200").json()["results"]}
    assert (found["cat-cow"]["level"], found["cat-cow"]["own"]) == (2, True)
    assert "elsewhere" not in found
    assert len(found) == len(library().exercises)
    assert client.get("/api/v1/exercises/cat-cow").json()["own"]


def test_a_clinician_sees_their_clinics_exercises() -> None:
    team = a_team()
    row_of(msgspec.structs.replace(library().exercises["cat-cow"], slug="our-own"), team.clinic_id).save()
    assert "our-own" in slugs(browser(a_clinician(team)))


def test_a_language_without_a_file_falls_back_to_english(client: Client) -> None:
    assert client.get("/api/v1/exercises/cat-cow?language=de").json()["language"] == "en"


def test_listing_takes_a_fixed_number_of_statements(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):  # who asks, how new, the page
        client.get("/api/v1/exercises?limit=5")
    with django_assert_num_queries(3):
        client.get("/api/v1/exercises?limit=200")


class TestAClinicsOwn:
    def send(self, method: str, client: Client, address: str, body: Any) -> Any:
        return client.generic(method, f"/api/v1/clinics/{address}", json.dumps(body), "application/json")

    @pytest.fixture
    def team(self) -> CareTeam:
        return a_team()

    @pytest.fixture
    def clinician(self, team: CareTeam) -> Client:
        return browser(a_clinician(team))

    def test_added_changed_retired(self, team: CareTeam, clinician: Client) -> None:
        here = f"{team.clinic_id}/exercises"
        assert self.send("POST", clinician, here, EXAMPLE).status_code == 201
        assert self.send("POST", clinician, here, EXAMPLE).status_code == 409
        assert self.send("PUT", clinician, f"{here}/towel-slide", EXAMPLE | {"level": 1, "rpe": [1, 2]}).json()[
            "rpe"
        ] == [1, 2]
        assert "towel-slide" in slugs(clinician)
        assert self.send("DELETE", clinician, f"{here}/towel-slide", {}).status_code == 204
        assert "towel-slide" not in slugs(clinician)

    def test_what_another_leads_to_is_neither_retired_nor_made_harder(self, team: CareTeam, clinician: Client) -> None:
        here = f"{team.clinic_id}/exercises"
        reach = EXAMPLE | {"slug": "reach", "regression": {"to": "towel-slide"}}
        for body in (EXAMPLE, reach):
            assert self.send("POST", clinician, here, body).status_code == 201
        (error,) = self.send("DELETE", clinician, f"{here}/towel-slide", {}).json()["errors"]
        assert (error["code"], error["detail"]) == (
            "dangling-link",
            "Towel slide leads here: 'towel-slide' is no entry",
        )
        harder = EXAMPLE | {"level": 2, "progression": {"variable": "range"}}
        (error,) = self.send("PUT", clinician, f"{here}/towel-slide", harder).json()["errors"]
        assert (error["code"], error["field"]) == ("wrong-way", None)
        for slug in ("reach", "towel-slide"):
            assert self.send("DELETE", clinician, f"{here}/{slug}", {}).status_code == 204

    def test_it_may_take_the_place_of_a_shared_one_and_leaves_that_alone(
        self, team: CareTeam, clinician: Client
    ) -> None:
        body = EXAMPLE | {"slug": "pelvic-clock", "progression": {"variable": "range"}}
        assert self.send("POST", clinician, f"{team.clinic_id}/exercises", body).status_code == 201
        assert clinician.get("/api/v1/exercises/pelvic-clock").json()["words"]["name"] == "Towel slide"
        other = browser(a_clinician(a_team()))
        assert other.get("/api/v1/exercises/pelvic-clock").json()["words"]["name"] == "Pelvic clock"

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"progression": {"to": "somersault"}}, "progression", "dangling-link"),
            ({"licence": ""}, "licence", "no-licence"),
            ({"author": ""}, "author", "no-author"),
            ({"precautions": ["sore-toe"]}, "precautions", "unknown-code"),
            ({"contraindications": ["late-pregnancy"]}, "precautions", "contradiction"),
            ({"regression": {"to": "dead-bug"}}, "regression", "wrong-way"),
            ({"regression": {"variable": "minutes", "by": 1, "limit": 2}}, "regression", "not-in-dose"),
            ({"rpe": [4, 2]}, "rpe", "invalid"),
            ({"words": {}}, "words.en", "required"),
        ],
    )
    def test_it_is_held_to_what_the_files_are_held_to(
        self, team: CareTeam, clinician: Client, change: dict[str, Any], field: str, code: str
    ) -> None:
        answer = self.send("POST", clinician, f"{team.clinic_id}/exercises", EXAMPLE | change)
        assert answer.status_code == 422
        assert (field, code) in {(error["field"], error["code"]) for error in answer.json()["errors"]}

    def test_another_clinic_is_not_found(self, clinician: Client) -> None:
        assert self.send("POST", clinician, f"{a_clinic().pk}/exercises", EXAMPLE).status_code == 404
