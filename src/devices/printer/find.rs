//! Which device file a USB printer has now, and which printers there are.
//!
//! The kernel counts `/dev/usb/lp0`, `lp1` … in the order of plugging; who is behind each stands in
//! `/sys`. Nothing here opens a printer.

use std::fs;
use std::path::{Path, PathBuf};

use super::probe::Attached;
use super::spec::{Flow, PrinterSpec, SerialPlace, UsbIdentity};

/// Where the kernel lists USB printers it drives.
pub(super) const CLASS: &str = "/sys/class/usbmisc";
/// Where their device files are.
pub(super) const DEVICES: &str = "/dev/usb";
/// Serial adapters by their own names, which stay the same in every socket.
pub(super) const ADAPTERS: &str = "/dev/serial/by-id";

/// A USB printer that the kernel drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seated {
    pub(super) path: PathBuf,
    pub(super) identity: UsbIdentity,
    /// «EPSON TM-T20II», as it names itself.
    pub(super) name: String,
}

/// The device file of the wanted printer, or of the first there is.
pub(super) fn device_file(class: &Path, devices: &Path, wanted: Option<&UsbIdentity>) -> Option<PathBuf> {
    seated(class, devices)
        .into_iter()
        .find(|seat| wanted.is_none_or(|wanted| is_same(wanted, &seat.identity)))
        .map(|seat| seat.path)
}

/// Whether `found` is the printer that was asked for; without a serial number any of the model is.
pub(super) fn is_same(wanted: &UsbIdentity, found: &UsbIdentity) -> bool {
    (wanted.vendor, wanted.product) == (found.vendor, found.product)
        && (wanted.serial.is_none() || wanted.serial == found.serial)
}

/// Every USB printer the kernel drives, by number.
pub(super) fn seated(class: &Path, devices: &Path) -> Vec<Seated> {
    let Ok(entries) = fs::read_dir(class) else {
        return Vec::new();
    };
    let mut found: Vec<Seated> = entries
        .filter_map(|entry| seat(&entry.ok()?.path(), devices))
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every serial adapter; whether a printer is behind it, only asking tells.
pub(super) fn serial_adapters(folder: &Path) -> Vec<Attached> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    found.sort();
    found
        .into_iter()
        .map(|path| Attached {
            name: "serial adapter".to_owned(),
            device_file: fs::canonicalize(&path).ok(),
            spec: PrinterSpec::Serial(SerialPlace {
                path,
                baud: 38_400,
                flow: Flow::Wires,
            }),
        })
        .collect()
}

fn seat(entry: &Path, devices: &Path) -> Option<Seated> {
    let name = entry.file_name()?.to_str()?;
    if !name.starts_with("lp") {
        return None;
    }
    // The link leads to the interface; the device is the folder around it.
    let interface = fs::canonicalize(entry.join("device")).ok()?;
    let device = interface.parent()?;
    let text = |file: &str| {
        let text = fs::read_to_string(device.join(file)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let number = |file: &str| u16::from_str_radix(&text(file)?, 16).ok();
    let names = [text("manufacturer"), text("product")];
    Some(Seated {
        path: devices.join(name),
        identity: UsbIdentity {
            vendor: number("idVendor")?,
            product: number("idProduct")?,
            serial: text("serial"),
        },
        name: names.into_iter().flatten().collect::<Vec<_>>().join(" "),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Plugs a printer into an invented `/sys`.
    fn plug(root: &Path, lp: &str, port: &str, (vendor, product, serial): (&str, &str, &str)) {
        let interface = root.join("devices").join(port).join(format!("{port}:1.0"));
        fs::create_dir_all(&interface).expect("a folder");
        let device = interface.parent().expect("a folder");
        for (file, text) in [
            ("idVendor", vendor),
            ("idProduct", product),
            ("serial", serial),
            ("manufacturer", "EPSON"),
        ] {
            fs::write(device.join(file), format!("{text}\n")).expect("a file");
        }
        let entry = root.join("class").join(lp);
        fs::create_dir_all(&entry).expect("a folder");
        symlink(interface, entry.join("device")).expect("a link");
    }

    #[test]
    fn a_printer_that_comes_back_under_another_number_is_found() {
        let root = tempfile::tempdir().expect("a folder");
        let (class, devices) = (root.path().join("class"), Path::new("/dev/usb"));
        let wanted = |serial: Option<&str>| UsbIdentity {
            vendor: 0x04b8,
            product: 0x0e15,
            serial: serial.map(str::to_owned),
        };
        let find = |wanted: &UsbIdentity| device_file(&class, devices, Some(wanted));
        assert_eq!(find(&wanted(None)), None);
        plug(root.path(), "lp0", "1-1", ("04b8", "0e15", "J1"));
        plug(root.path(), "lp1", "1-2", ("0519", "0003", ""));
        assert_eq!(find(&wanted(Some("J1"))), Some("/dev/usb/lp0".into()));
        assert_eq!(find(&wanted(Some("J2"))), None);
        fs::remove_dir_all(class.join("lp0")).expect("the cable is pulled");
        assert_eq!(find(&wanted(Some("J1"))), None);
        plug(root.path(), "lp2", "2-4", ("04b8", "0e15", "J1"));
        assert_eq!(find(&wanted(Some("J1"))), Some("/dev/usb/lp2".into()));
        assert_eq!(find(&wanted(None)), Some("/dev/usb/lp2".into()));
        assert_eq!(device_file(&class, devices, None), Some("/dev/usb/lp1".into()));
        let all = seated(&class, devices);
        assert_eq!((all.len(), all[1].name.as_str()), (2, "EPSON"));
    }
}
