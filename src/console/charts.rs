//! Charts of a report as inline SVG, drawn on the server; each has a table with the same numbers beside it.

use plotters::prelude::*;
use plotters::style::Color;

/// Width and height of a chart, in its own units.
const SIZE: (u32, u32) = (720, 250);
/// Of the design's tokens: action, its soft shade, ink, lines. Shape and place tell the series apart, not colour alone.
const DEEP: RGBColor = RGBColor(0x12, 0x3E, 0x73);
const SOFT: RGBColor = RGBColor(0xE2, 0xEC, 0xF7);
const INK: RGBColor = RGBColor(0x19, 0x1D, 0x26);
const LINE: RGBColor = RGBColor(0xD8, 0xD2, 0xC5);

/// Two figures for each of some labels, as bars side by side.
pub(super) struct Bars<'a> {
    /// What the chart shows, for those who cannot see it.
    pub(super) title: &'a str,
    /// Under each pair.
    pub(super) labels: Vec<String>,
    /// The first figure of each pair; filled.
    pub(super) first: Vec<Option<f64>>,
    /// The second; outlined.
    pub(super) second: Vec<Option<f64>>,
}

impl Bars<'_> {
    /// The chart; `None` where there is nothing to show.
    pub(super) fn svg(&self) -> Option<String> {
        let top = self
            .first
            .iter()
            .chain(&self.second)
            .flatten()
            .copied()
            .fold(0.0, f64::max);
        if self.labels.is_empty() || top <= 0.0 {
            return None;
        }
        let mut text = String::new();
        self.draw(&mut text, top * 1.18).ok()?;
        Some(readable(&text, self.title))
    }

    fn draw(&self, text: &mut String, top: f64) -> Result<(), Box<dyn std::error::Error>> {
        let count = self.labels.len();
        let mut values = self.first.iter().chain(&self.second).flatten();
        let whole = values.all(|value| value.fract() == 0.0);
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(6)
            .x_label_area_size(28)
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..count as f64, 0.0..top)?;
        let font = ("sans-serif", 17).into_font().color(&INK);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .y_labels(4)
            // Very short waits need a digit after the comma, or every line of the axis would say 0; people do not.
            .y_label_formatter(&|value| match (top < 4.0, whole) {
                (true, false) => format!("{value:.1}").replace('.', ","),
                (true, true) if value.fract() != 0.0 => String::new(),
                (true, true) | (false, _) => format!("{value:.0}"),
            })
            .bold_line_style(LINE)
            .light_line_style(TRANSPARENT)
            .axis_style(LINE)
            .label_style(font.clone())
            .draw()?;
        let figure = |value: f64| {
            if value.fract() == 0.0 {
                format!("{value:.0}")
            } else {
                format!("{value:.1}").replace('.', ",")
            }
        };
        for (index, label) in self.labels.iter().enumerate() {
            let left = index as f64;
            let pairs = [
                (self.first.get(index), 0.14, true),
                (self.second.get(index), 0.52, false),
            ];
            for (value, offset, filled) in pairs {
                let Some(value) = value.copied().flatten() else {
                    continue;
                };
                let corners = [(left + offset, 0.0), (left + offset + 0.34, value)];
                let style = if filled { DEEP.filled() } else { SOFT.filled() };
                chart.draw_series([Rectangle::new(corners, style)])?;
                if !filled {
                    chart.draw_series([Rectangle::new(corners, DEEP.stroke_width(1))])?;
                }
                if count <= 16 && value > 0.0 {
                    let at = (left + offset + 0.17, value);
                    let style = font.clone().pos(plotters::style::text_anchor::Pos::new(
                        plotters::style::text_anchor::HPos::Center,
                        plotters::style::text_anchor::VPos::Bottom,
                    ));
                    chart.draw_series([Text::new(figure(value), at, style)])?;
                }
            }
            if count <= 16 || index % (count / 12 + 1) == 0 {
                let area = chart.plotting_area();
                let (x, y) = area.map_coordinate(&(left + 0.5, 0.0));
                let style = font.clone().pos(plotters::style::text_anchor::Pos::new(
                    plotters::style::text_anchor::HPos::Center,
                    plotters::style::text_anchor::VPos::Top,
                ));
                root.draw(&Text::new(label.clone(), (x, y + 6), style))?;
            }
        }
        root.present()?;
        Ok(())
    }
}

/// Scales with its box and says what it is.
fn readable(svg: &str, title: &str) -> String {
    let (width, height) = SIZE;
    let old = format!("<svg width=\"{width}\" height=\"{height}\"");
    let title = askama::filters::escape(title, askama::filters::Html)
        .map(|title| title.to_string())
        .unwrap_or_default();
    svg.replacen(
        &old,
        &format!("<svg class=\"chart\" role=\"img\" aria-label=\"{title}\""),
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_carries_its_figures_and_its_title_and_nothing_is_no_chart() {
        let bars = Bars {
            title: "Turnos <por> hora",
            labels: vec!["08".into(), "09".into()],
            first: vec![Some(12.0), Some(7.5)],
            second: vec![Some(3.0), None],
        };
        let svg = bars.svg().expect("a chart");
        assert!(
            svg.starts_with("<svg class=\"chart\" role=\"img\" aria-label=\"Turnos &#60;por&#62; hora\""),
            "{svg}"
        );
        assert!(svg.contains("viewBox=\"0 0 720 250\""), "{svg}");
        for text in ["12", "7,5", "08", "09"] {
            assert!(svg.contains(&format!("\n{text}\n")), "{text} in {svg}");
        }
        assert!(
            !svg.contains("style="),
            "a strict policy blocks styles inside: {svg}"
        );
        let empty = Bars {
            labels: Vec::new(),
            first: Vec::new(),
            second: Vec::new(),
            ..bars
        };
        assert!(empty.svg().is_none());
    }
}
