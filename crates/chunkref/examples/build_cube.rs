// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many files as one data cube: `cargo run --example build_cube -- cube.json 'data/*.nc'`.

use chunkref::emit::emit;
use chunkref::session::{Input, Session};
use chunkref::{CombineOptions, EmitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (output, pattern) = (std::env::args().nth(1), std::env::args().nth(2));
    let (output, pattern) = output.zip(pattern).ok_or("give an output, and a pattern of files")?;
    let session = Session::new()?;
    let files = session.stores().expand(&pattern).await?;
    let options = CombineOptions::default().with_concat_dimensions(["time"]);
    let inputs = files.into_iter().map(Input::file).collect();
    let cube = session.combine(inputs, &options, &mut ()).await?;
    let options = EmitOptions::default().with_provenance(cube.provenance);
    emit(&cube.dataset, output.as_ref(), &options)?;
    Ok(())
}
