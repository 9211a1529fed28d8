"""Who may do what: every route, every method, every role.

Each area has a table here (`people.txt`, `outcomes.txt`, …). A new route or method fails `test_access.py` until a table
has its line:

    GET /api/v1/patients/<int:patient>    401 403 403 200 404 200 404 404 403

The route stands as `manage.py` knows it, converters and all. The columns are `ROLES` in `world.py`: what is asked about
belongs to the patient `own`, in the care team of the clinician `team`. A cell is a status, `200/404` for either, or `-`
for any that is no server error. `/admin/*` speaks for all routes below.

Bodies are empty objects: an admitted writer reads 400, which proves as much about access as 201 would. If the body
can't be empty for that, add one to `BODIES`. A name in the route's brackets that is new needs a line in `OBJECTS`,
which makes one of `own`'s.

Methods that a route doesn't have are tried too, and must be refused to everybody.
"""
