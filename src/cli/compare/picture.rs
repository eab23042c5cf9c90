//! A chart as a file: SVG as it is drawn, or PNG of it.

use std::path::{Path, PathBuf};
#[cfg(feature = "chart")]
use std::sync::Arc;

#[cfg(feature = "chart")]
use resvg::tiny_skia::{Pixmap, Transform};
#[cfg(feature = "chart")]
use resvg::usvg::{Options, Tree, fontdb};

use crate::cli::trouble::of_file;
use crate::lang::Lang;
use crate::model::Text;
use crate::model::report::Chart;
use crate::render::compare::svg;

/// Pixels of a PNG to one of the SVG: sharp on dense screens and in print.
#[cfg(feature = "chart")]
const SCALE: f32 = 2.0;

/// Families that charts look well in, the first of which is there is taken; otherwise any that is.
#[cfg(feature = "chart")]
const FAMILIES: [&str; 8] =
    ["Inter", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Roboto", "Segoe UI", "Helvetica", "Arial"];

/// Where a chart goes and in which form.
pub struct Picture {
    path: PathBuf,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

impl Picture {
    /// By the end of the name.
    pub fn of(path: &Path) -> Result<Self, Text> {
        let end = path.extension().unwrap_or_default().to_ascii_lowercase();
        let form = match end.to_str() {
            Some("svg") => Form::Svg,
            Some("png") => Form::Png,
            _ => return Err(Text::with("--chart {}: the name must end with .svg or .png", path.display())),
        };
        Ok(Self { path: path.to_owned(), form })
    }

    /// Draws a chart and writes it.
    pub fn draw(&self, chart: &Chart, lang: Lang) -> Result<(), Text> {
        let drawing = svg(chart, lang);
        let bytes = match self.form {
            Form::Svg => drawing.into_bytes(),
            Form::Png => png(&drawing).map_err(|why| Text::with("{}: {}", self.path.display()).word(why))?,
        };
        std::fs::write(&self.path, bytes).map_err(|e| of_file(&self.path, &e))
    }
}

/// Says that there is nothing to draw pixels with.
#[cfg(not(feature = "chart"))]
fn png(_: &str) -> Result<Vec<u8>, Text> {
    Err(Text::new(
        "this build draws no bitmaps: name the chart .svg instead, or build it with --features chart",
    ))
}

/// The drawing in pixels, as a light page shows it.
#[cfg(feature = "chart")]
fn png(drawing: &str) -> Result<Vec<u8>, Text> {
    let mut fonts = fontdb::Database::new();
    fonts.load_system_fonts();
    let has = |fonts: &fontdb::Database, name: &str| {
        fonts.faces().any(|face| face.families.iter().any(|(family, _)| family == name))
    };
    let any = || fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()));
    let family = FAMILIES.iter().find(|name| has(&fonts, name)).map(|name| (*name).to_owned()).or_else(any);
    let Some(family) = family else {
        return Err(Text::new("this system has no fonts to draw a bitmap with: name the chart .svg instead"));
    };
    fonts.set_sans_serif_family(family);
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(drawing, &options).map_err(|e| Text::with("{}", e))?;
    let size = tree.size();
    let pixels = |length: f32| (length * SCALE).ceil() as u32;
    let mut canvas =
        Pixmap::new(pixels(size.width()), pixels(size.height())).ok_or(Text::new("the chart is empty"))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut canvas.as_mut());
    canvas.encode_png().map_err(|e| Text::with("{}", e))
}
