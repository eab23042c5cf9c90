//! What runs on the server.

mod chat;
mod conformance;
mod echo;
mod published;

pub use self::chat::Chat;
pub use self::conformance::Conformance;
pub use self::echo::Echo;
pub use self::published::Published;
