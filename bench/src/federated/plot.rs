//! The growth of the cost as a picture: entities to the right, CPU time upwards, both logarithmic, so that what grows linearly rises by 45°.

use std::fmt::Write as _;

use super::linear::Size;
use crate::Result;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const BELOW: f64 = 50.0;
/// The powers of ten that the axes show: entities, and microseconds.
const ENTITIES: (i32, i32) = (1, 5);
const MICROS: (i32, i32) = (2, 6);

/// An SVG document.
pub(crate) fn svg(sizes: &[Size]) -> Result<String> {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for power in ENTITIES.0..=ENTITIES.1 {
        let x = along(f64::from(power));
        let (top, bottom) = (up(f64::from(MICROS.1)), up(f64::from(MICROS.0)));
        writeln!(svg, "<path d=\"M{x:.1} {top:.1}V{bottom:.1}\" stroke=\"#ddd\"/>")?;
        let y = bottom + 18.0;
        let entities = 10_u64.pow(power.unsigned_abs());
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{entities}</text>")?;
    }
    for power in MICROS.0..=MICROS.1 {
        let y = up(f64::from(power));
        let (left, right) = (along(f64::from(ENTITIES.0)), along(f64::from(ENTITIES.1)));
        writeln!(svg, "<path d=\"M{left:.1} {y:.1}H{right:.1}\" stroke=\"#ddd\"/>")?;
        let (x, y) = (left - 8.0, y + 4.0);
        let milliseconds = 10_f64.powi(power - 3);
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{milliseconds} ms</text>"
        )?;
    }
    for (place, (name, color)) in
        [("Spacey", "#c2410c"), ("Hive Router", "#475569")].into_iter().enumerate()
    {
        let points = sizes.iter().map(|size| {
            let micros = (size.costs[place].as_secs_f64() * 1e6).max(1.0);
            format!("{:.1},{:.1}", along(f64::from(size.entities).log10()), up(micros.log10()))
        });
        let points = points.collect::<Vec<_>>().join(" ");
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        )?;
        let (x, y) = (LEFT + 20.0, 40.0 + 18.0 * if place == 0 { 0.0 } else { 1.0 });
        writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" fill=\"{color}\">{name}: CPU for each answer, by entities in it</text>"
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn along(power: f64) -> f64 {
    let share = (power - f64::from(ENTITIES.0)) / f64::from(ENTITIES.1 - ENTITIES.0);
    LEFT + share * (WIDTH - LEFT - 30.0)
}

fn up(power: f64) -> f64 {
    let share = (power - f64::from(MICROS.0)) / f64::from(MICROS.1 - MICROS.0);
    HEIGHT - BELOW - share * (HEIGHT - BELOW - 20.0)
}
