//! Compiles the Slint files into Rust, with fonts and icons embedded.

fn main() {
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent-light".into())
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles);
    slint_build::compile_with_config("slint/screens.slint", config).expect("the Slint files compile");
}
