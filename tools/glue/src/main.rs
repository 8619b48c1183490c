//! `glue IN.wasm OUT_DIR`: writes `core.js`, `core.d.ts` and `core_bg.wasm`.

use wasm_bindgen_cli_support::Bindgen;

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(out)) = (args.next(), args.next()) else {
        eprintln!("usage: glue IN.wasm OUT_DIR");
        std::process::exit(2)
    };
    let made = Bindgen::new().input_path(input).web(true).and_then(|bindgen| {
        bindgen
            .typescript(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            // Only our own loaders name the file.
            .omit_default_module_path(true)
            .out_name("core")
            .generate(out)
    });
    if let Err(error) = made {
        eprintln!("{error:#}");
        std::process::exit(1)
    }
}
