//! The catalogue of Quito, compiled in, so that one binary can start a demonstration with no files beside it.
//!
//! A production office reads its own folder instead; the layout is the same.

use crate::forms::Files;

/// The TOML files, each with its name inside the folder `catalogue/quito`.
pub const FILES: [(&str, &str); 15] = [
    (
        "catalogue.toml",
        include_str!("../../../catalogue/quito/catalogue.toml"),
    ),
    (
        "procedures/actividades-economicas.toml",
        include_str!("../../../catalogue/quito/procedures/actividades-economicas.toml"),
    ),
    (
        "procedures/agua.toml",
        include_str!("../../../catalogue/quito/procedures/agua.toml"),
    ),
    (
        "procedures/ambiente.toml",
        include_str!("../../../catalogue/quito/procedures/ambiente.toml"),
    ),
    (
        "procedures/animales.toml",
        include_str!("../../../catalogue/quito/procedures/animales.toml"),
    ),
    (
        "procedures/aseo.toml",
        include_str!("../../../catalogue/quito/procedures/aseo.toml"),
    ),
    (
        "procedures/catastro.toml",
        include_str!("../../../catalogue/quito/procedures/catastro.toml"),
    ),
    (
        "procedures/control.toml",
        include_str!("../../../catalogue/quito/procedures/control.toml"),
    ),
    (
        "procedures/movilidad.toml",
        include_str!("../../../catalogue/quito/procedures/movilidad.toml"),
    ),
    (
        "procedures/participacion.toml",
        include_str!("../../../catalogue/quito/procedures/participacion.toml"),
    ),
    (
        "procedures/registro-propiedad.toml",
        include_str!("../../../catalogue/quito/procedures/registro-propiedad.toml"),
    ),
    (
        "procedures/servicios-ciudadanos.toml",
        include_str!("../../../catalogue/quito/procedures/servicios-ciudadanos.toml"),
    ),
    (
        "procedures/social.toml",
        include_str!("../../../catalogue/quito/procedures/social.toml"),
    ),
    (
        "procedures/tributos.toml",
        include_str!("../../../catalogue/quito/procedures/tributos.toml"),
    ),
    (
        "procedures/urbanismo.toml",
        include_str!("../../../catalogue/quito/procedures/urbanismo.toml"),
    ),
];

/// The forms, each with the file name procedures give it.
pub const FORMS: [(&str, &[u8]); 12] = [
    (
        "arbolado.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/arbolado.xlsx"),
    ),
    (
        "certificado-no-adeudar.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/certificado-no-adeudar.xlsx"),
    ),
    (
        "cita-amt.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/cita-amt.xlsx"),
    ),
    (
        "denuncia.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/denuncia.xlsx"),
    ),
    (
        "exoneracion-predial.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/exoneracion-predial.xlsx"),
    ),
    (
        "impuesto-predial.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/impuesto-predial.xlsx"),
    ),
    (
        "irm.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/irm.xlsx"),
    ),
    (
        "luae.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/luae.xlsx"),
    ),
    (
        "obra-menor.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/obra-menor.xlsx"),
    ),
    (
        "patente.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/patente.xlsx"),
    ),
    (
        "registro-mascota.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/registro-mascota.xlsx"),
    ),
    (
        "uso-espacio.xlsx",
        include_bytes!("../../../catalogue/quito/procedures/uso-espacio.xlsx"),
    ),
];

/// The lists that forms choose from, each with its file name.
pub const LISTS: [(&str, &str); 1] = [(
    "parroquias.csv",
    include_str!("../../../catalogue/quito/lists/parroquias.csv"),
)];

/// The lists as the forms engine takes them.
pub fn lists() -> Files {
    LISTS
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}
