//! The brightness of the panel, where the kernel knows one.

use std::path::Path;

/// Where the kernel shows its panels.
pub const PANELS: &str = "/sys/class/backlight";

/// Darker than this nobody reads, and nobody finds the way back.
pub const DARKEST: u8 = 5;

/// Sets every panel under `folder` to `percent` of its brightest, and tells how many there are.
///
/// # Errors
/// When a panel does not take it; a folder that is not there has no panels.
pub fn set(folder: &Path, percent: u8) -> std::io::Result<usize> {
    let percent = u64::from(percent.clamp(DARKEST, 100));
    let Ok(panels) = std::fs::read_dir(folder) else {
        return Ok(0);
    };
    let mut count = 0;
    for panel in panels {
        let panel = panel?.path();
        let text = std::fs::read_to_string(panel.join("max_brightness"))?;
        let brightest: u64 = text.trim().parse().map_err(std::io::Error::other)?;
        let wanted = (brightest * percent).div_ceil(100);
        std::fs::write(panel.join("brightness"), wanted.to_string())?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panel_is_set_and_none_goes_dark() {
        let folder = tempfile::tempdir().expect("folder");
        let panel = folder.path().join("intel_backlight");
        std::fs::create_dir(&panel).expect("panel");
        std::fs::write(panel.join("max_brightness"), "937\n").expect("written");
        let shown = || std::fs::read_to_string(panel.join("brightness")).expect("set");
        assert_eq!(set(folder.path(), 80).expect("set"), 1);
        assert_eq!(shown(), "750");
        set(folder.path(), 0).expect("set");
        assert_eq!(shown(), "47");
        assert_eq!(set(&folder.path().join("none"), 80).expect("nothing to do"), 0);
    }
}
