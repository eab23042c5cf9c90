//! Curves as an SVG picture that needs nothing else: no fonts, no scripts, and
//! its own colours for a light and a dark page.

use std::fmt::Write as _;

use super::scale::{Scale, name};
use crate::lang::Lang;
use crate::model::report::{Chart, Panel};
use crate::render::columns;

const WIDTH: f64 = 960.0;
/// Left of the panels stand the values, right of them the names of the curves.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 176.0;
const TOP: f64 = 78.0;
const PANEL: f64 = 260.0;
const BETWEEN: f64 = 34.0;
const BOTTOM: f64 = 58.0;

/// Colours that people who see colours differently can tell apart (after Okabe and Ito), on white and on
/// near-black; and dashes, so that print can do without them.
const CURVES: [(&str, &str, &str); 6] = [
    ("#b3450b", "#f08a4b", ""),
    ("#8a5d00", "#e6b422", "7 3"),
    ("#00795a", "#35c99b", "2 3"),
    ("#0b5cad", "#63b3f5", ""),
    ("#a03a78", "#e58bc2", "9 3 2 3"),
    ("#55606e", "#aab4c0", "4 4"),
];

/// Draws a chart.
pub fn svg(chart: &Chart, lang: Lang) -> String {
    let height = TOP + chart.panels.len() as f64 * (PANEL + BETWEEN) - BETWEEN + BOTTOM;
    let title = lang.say(&chart.title);
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{}\">\n{}",
        escaped(&title),
        style()
    );
    let _ = writeln!(svg, "<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>");
    for (i, line) in columns::lines(&title, 100).iter().take(2).enumerate() {
        let _ =
            writeln!(svg, "<text class=\"title\" x=\"16\" y=\"{}\">{}</text>", 26 + 19 * i, escaped(line));
    }
    let xs = chart.panels.iter().flat_map(|p| &p.curves).flat_map(|c| &c.points).map(|(x, _)| *x);
    let (low, high) = xs.fold((f64::INFINITY, 0.0f64), |(low, high), x| (low.min(x), high.max(x)));
    let x = Scale::tight(&chart.x, low, high, LEFT, WIDTH - RIGHT);
    for (i, panel) in chart.panels.iter().enumerate() {
        let top = TOP + i as f64 * (PANEL + BETWEEN);
        draw_panel(&mut svg, chart, panel, (x, top, i + 1 == chart.panels.len()), lang);
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    let _ = writeln!(
        svg,
        "<text class=\"label\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n</svg>",
        height - 14.0,
        escaped(&lang.say(&chart.x.label))
    );
    svg
}

fn style() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    let mut dashes = String::new();
    for (i, (on_light, on_dark, dash)) in CURVES.iter().enumerate() {
        let _ = write!(light, ".c{i}{{stroke:{on_light}}}.n{i}{{fill:{on_light}}}");
        let _ = write!(dark, ".c{i}{{stroke:{on_dark}}}.n{i}{{fill:{on_dark}}}");
        if !dash.is_empty() {
            let _ = write!(dashes, ".c{i}{{stroke-dasharray:{dash}}}");
        }
    }
    format!(
        "<style>text{{font:13px system-ui,sans-serif}}.title{{font-size:14px;font-weight:600}}\
         .tick{{font-size:12px}}\
         .curve{{fill:none;stroke-width:2.2;stroke-linejoin:round}}\
         .lead{{stroke-width:1;fill:none}}.name{{font-size:12.5px}}\
         .grid{{stroke-width:1}}.mark{{stroke-width:1;stroke-dasharray:3 3}}{dashes}\
         .page{{fill:#fff}}text{{fill:#1b1f24}}.tick,.note{{fill:#57606a}}\
         .note{{font-size:12px;stroke:#fff;stroke-width:4px;paint-order:stroke}}\
         .grid{{stroke:#e2e6ea}}.mark{{stroke:#57606a}}{light}\
         @media (prefers-color-scheme:dark){{\
         .page{{fill:#14171b}}text{{fill:#e6e9ec}}.tick,.note{{fill:#9aa4ae}}\
         .note{{stroke:#14171b}}\
         .grid{{stroke:#2a3037}}.mark{{stroke:#9aa4ae}}{dark}}}</style>\n"
    )
}

fn draw_panel(
    svg: &mut String,
    chart: &Chart,
    panel: &Panel,
    (x, top, last): (Scale, f64, bool),
    lang: Lang,
) {
    let bottom = top + PANEL;
    let values = panel.curves.iter().flat_map(|c| &c.points).map(|(_, y)| *y);
    let y = Scale::new(&panel.y, values, bottom, top);
    let _ = writeln!(
        svg,
        "<text class=\"label\" x=\"16\" y=\"{}\">{}</text>",
        top - 10.0,
        escaped(&lang.say(&panel.y.label))
    );
    for tick in y.ticks() {
        let at = y.at(tick);
        let right = WIDTH - RIGHT;
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\" \
             text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            name(tick)
        );
    }
    for tick in x.ticks() {
        let at = x.at(tick);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{at:.1} {top}V{bottom}\"/>");
        if last {
            let below = bottom + 18.0;
            let _ = writeln!(
                svg,
                "<text class=\"tick\" x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>",
                name(tick)
            );
        }
    }
    for (i, curve) in panel.curves.iter().enumerate() {
        let mut path = String::new();
        for (at, value) in &curve.points {
            let begin = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{begin}{:.1} {:.1}", x.at(*at), y.at(*value));
        }
        let _ = writeln!(svg, "<path class=\"curve c{}\" d=\"{path}\"/>", i % CURVES.len());
    }
    // Over the curves: the halo of their words keeps them readable.
    draw_marks(svg, chart, x, (top, bottom), lang);
    draw_names(svg, panel, y, (top, bottom), lang);
}

fn draw_marks(svg: &mut String, chart: &Chart, x: Scale, (top, bottom): (f64, f64), lang: Lang) {
    for (i, mark) in chart.marks.iter().enumerate() {
        let at = x.at(mark.x);
        // Beside the line, on the side with more room; one below the other.
        let (anchor, text_at) =
            if at > f64::midpoint(LEFT, WIDTH - RIGHT) { ("end", at - 5.0) } else { ("start", at + 5.0) };
        let _ = writeln!(
            svg,
            "<path class=\"mark\" d=\"M{at:.1} {top}V{bottom}\"/><text class=\"note\" x=\"{text_at:.1}\" \
             y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            top + 14.0 + 15.0 * (i % 4) as f64,
            escaped(&lang.say(&mark.text))
        );
    }
}

/// The names at the ends of the curves, moved apart where they would cover each other.
fn draw_names(svg: &mut String, panel: &Panel, y: Scale, (top, bottom): (f64, f64), lang: Lang) {
    const LINE: f64 = 16.0;
    let end =
        |i: usize| panel.curves[i].points.last().map_or(bottom, |(_, value)| y.at(*value).clamp(top, bottom));
    let mut order: Vec<usize> = (0..panel.curves.len()).collect();
    order.sort_by(|a, b| end(*a).total_cmp(&end(*b)).then(a.cmp(b)));
    let mut places: Vec<f64> = order.iter().map(|&i| end(i)).collect();
    for k in 1..places.len() {
        places[k] = places[k].max(places[k - 1] + LINE);
    }
    // What was pushed out at the bottom comes back up.
    if let Some(beyond) = places.last().map(|last| last - bottom).filter(|beyond| *beyond > 0.0) {
        let count = places.len();
        places[count - 1] -= beyond;
        for k in (0..count - 1).rev() {
            places[k] = places[k].min(places[k + 1] - LINE);
        }
    }
    for (&i, &at) in order.iter().zip(&places) {
        let (from, class) = (WIDTH - RIGHT, i % CURVES.len());
        let _ = writeln!(
            svg,
            "<path class=\"lead c{class}\" style=\"stroke-dasharray:none\" d=\"M{} {:.1}L{} {at:.1}H{}\"/>\
             <text class=\"name n{class}\" x=\"{}\" y=\"{:.1}\">{}</text>",
            from + 2.0,
            end(i),
            from + 14.0,
            from + 20.0,
            from + 24.0,
            at + 4.0,
            escaped(&lang.say(&panel.curves[i].name))
        );
    }
}

/// Words that are not markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::{Axis, Curve, Mark};

    #[test]
    fn names_never_cover_each_other() {
        let curve = |name: &'static str| Curve { name: name.into(), points: vec![(1.0, 5.0), (10.0, 5.0)] };
        let axis = || Axis { label: "<y>".into(), log: true };
        let curves = ["a", "b", "c", "d", "e", "f"].map(curve).into();
        let chart = Chart {
            title: "a & b".into(),
            x: axis(),
            panels: vec![Panel { y: axis(), curves }],
            marks: vec![Mark { x: 2.0, text: "here".into() }],
        };
        let svg = svg(&chart, Lang::En);
        assert!(svg.contains("a &amp; b") && svg.contains("&lt;y&gt;") && !svg.contains("NaN"));
        let mut at: Vec<f64> = svg
            .lines()
            .filter_map(|line| line.split("class=\"name").nth(1))
            .filter_map(|rest| rest.split("y=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        at.sort_by(f64::total_cmp);
        assert_eq!(at.len(), 6);
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 15.9), "{at:?}");
    }
}
