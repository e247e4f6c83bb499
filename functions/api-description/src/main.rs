//! `GET /api/openapi.json` on Lambda, without any store.

use shared::lambda::{Fatal, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<()>(|()| http(api_description::handle))
}
