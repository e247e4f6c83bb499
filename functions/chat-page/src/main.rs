//! `GET /` on Lambda, without a store.

use chat_page::Settings;
use shared::lambda::{Fatal, http, serve};

fn main() -> Result<(), Fatal> {
    serve::<(Settings,)>(|(settings,)| http(move |request| chat_page::handle(settings, request)))
}
