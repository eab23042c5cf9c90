//! The course: its pages, exercises and answers, the handouts, and grading.

#[path = "../rfc/mod.rs"]
mod rfc;

mod capstone;
mod exercises;
mod index;
mod pages;
mod teacher;
