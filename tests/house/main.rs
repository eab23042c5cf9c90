//! The project against its own rules: who imports whom, what is quoted, and that the documentation and both
//! languages say what the code says.

#[path = "../literals/mod.rs"]
mod literals;
#[path = "../rfc/mod.rs"]
mod rfc;
#[path = "../shelf/mod.rs"]
mod shelf;

mod catalogue;
mod causes;
mod citations;
mod dialects;
mod functions;
mod grade;
mod guides;
mod layering;
mod pages;
mod rules;
mod sources;
mod terms;
