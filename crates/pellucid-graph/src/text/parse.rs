//! Text → `Graph`. Node types are inferred; stated output types are checked against what is inferred.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::graph::{Attribute, Graph, Node};
use crate::tensor::{ElementType, Tensor};
use crate::types::{Dim, Type};

/// Reads a graph in ONNX's textual syntax, in the meaning of the canonical opset.
///
/// # Errors
/// [`Error::Text`] with the line; whatever the ops report of their inputs.
pub fn parse(text: &str) -> Result<Graph, Error> {
    let mut parser = Parser { tokens: tokenize(text)?, at: 0 };
    let graph = parser.graph()?;
    match parser.peek() {
        None => Ok(graph),
        Some(token) => Err(parser.expected("the end", token)),
    }
}

/// Smallest pieces, each with its line.
fn tokenize(text: &str) -> Result<Vec<(String, usize)>, Error> {
    let mut tokens = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default();
        let mut rest = code.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '"' => 2 + rest[1..].find('"').ok_or_else(|| fault(index + 1, "a string without end"))?,
                '=' if rest.starts_with("=>") => 2,
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            tokens.push((rest[..length].to_owned(), index + 1));
            rest = rest[length..].trim_start();
        }
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '+' | '/' | ':' | '?' | '*')
}

fn fault(line: usize, reason: impl Into<String>) -> Error {
    Error::Text { line, reason: reason.into() }
}

struct Parser {
    tokens: Vec<(String, usize)>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(|(token, _)| token.as_str())
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, line)| *line)
    }

    fn expected(&self, what: &str, found: &str) -> Error {
        fault(self.line(), format!("expected {what}, found `{found}`"))
    }

    fn next(&mut self, what: &str) -> Result<String, Error> {
        let token =
            self.peek().ok_or_else(|| fault(self.line(), format!("expected {what}, found the end")))?;
        let token = token.to_owned();
        self.at += 1;
        Ok(token)
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), Error> {
        match self.accept(token) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{token}`"), self.peek().unwrap_or("the end"))),
        }
    }

    /// Items up to `close`, with commas between them.
    fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        while !self.accept(close) {
            items.push(item(self)?);
            if !self.accept(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn graph(&mut self) -> Result<Graph, Error> {
        let mut graph = Graph::new(self.next("a graph name")?);
        self.expect("(")?;
        for (ty, name) in self.list(")", Self::value)? {
            graph.add_input(&name, ty);
        }
        self.expect("=>")?;
        self.expect("(")?;
        let outputs = self.list(")", Self::value)?;
        if self.accept("<") {
            for (name, tensor) in self.list(">", Self::initializer)? {
                graph.add_constant(&name, tensor);
            }
        }
        self.expect("{")?;
        while !self.accept("}") {
            self.node(&mut graph)?;
        }
        for (ty, name) in outputs {
            let wire = graph.wire(&name)?;
            graph.refine_type(wire, &ty);
            if !compatible(graph.type_of(wire), &ty) {
                let found = format!("output `{name}`: stated {ty:?}, inferred {:?}", graph.type_of(wire));
                return Err(fault(self.line(), found));
            }
            graph.add_output(wire);
        }
        Ok(graph)
    }

    /// `float[N,3] x`
    fn value(&mut self) -> Result<(Type, String), Error> {
        let ty = self.ty()?;
        Ok((ty, self.next("a name")?))
    }

    fn ty(&mut self) -> Result<Type, Error> {
        let name = self.next("an element type")?;
        let element = element_of_name(&name).ok_or_else(|| self.expected("an element type", &name))?;
        if !self.accept("[") {
            return Ok(Type::new(element, Vec::new()));
        }
        let dims = self.list("]", |p| {
            let dim = p.next("a length")?;
            Ok(match (dim.parse(), dim.split_once('*')) {
                (Ok(n), _) => Dim::Known(n),
                (_, Some((times, name))) if times.parse::<usize>().is_ok() => {
                    Dim::symbol(name).times(&Dim::Known(times.parse().unwrap_or(1)))
                }
                _ if dim == "?" => Dim::Unknown,
                _ => Dim::symbol(&dim),
            })
        })?;
        Ok(Type::new(element, dims))
    }

    /// `float[2] w = {1, 2}`
    fn initializer(&mut self) -> Result<(String, Tensor), Error> {
        let (ty, name) = self.value()?;
        self.expect("=")?;
        Ok((name, self.elements(&ty)?))
    }

    fn elements(&mut self, ty: &Type) -> Result<Tensor, Error> {
        let shape =
            ty.known_shape().ok_or_else(|| fault(self.line(), "a constant needs a shape of numbers"))?;
        self.expect("{")?;
        let numbers: Vec<f64> = self.list("}", Self::number)?;
        if numbers.len() != shape.iter().product::<usize>() {
            return Err(fault(self.line(), format!("{} elements for shape {shape:?}", numbers.len())));
        }
        Ok(Tensor::f64(&shape, numbers).cast(ty.element))
    }

    fn number(&mut self) -> Result<f64, Error> {
        let token = self.next("a number")?;
        token.parse().map_err(|_| self.expected("a number", &token))
    }

    /// `[name] y, z = Op<attribute = 1>(a, b)`; the attributes may stand behind the inputs, too.
    fn node(&mut self, graph: &mut Graph) -> Result<(), Error> {
        let name = match self.accept("[") {
            true => {
                let name = self.next("a node name")?;
                self.expect("]")?;
                name
            }
            false => String::new(),
        };
        let outputs = self.list("=", |p| p.next("an output name"))?;
        let op = self.next("an op")?;
        let (domain, op) = op.rsplit_once('.').map_or(("", op.as_str()), |(domain, op)| (domain, op));
        let mut attributes = self.attributes()?;
        self.expect("(")?;
        let inputs = self.list(")", |p| p.next("an input name"))?;
        attributes.extend(self.attributes()?);
        let wires = inputs.iter().map(|name| match name.as_str() {
            "\"\"" => Ok(None),
            name => graph.wire(name).map(Some),
        });
        let inputs = wires.collect::<Result<Vec<_>, _>>()?;
        let (domain, op) = (domain.to_owned(), op.to_owned());
        let node = Node { name, domain, op, inputs, outputs: Vec::new(), attributes };
        let names: Vec<Option<&str>> =
            outputs.iter().map(|name| (name != "\"\"").then_some(name.as_str())).collect();
        graph.add_node(node, &names);
        graph.check_fault()
    }

    fn attributes(&mut self) -> Result<BTreeMap<String, Attribute>, Error> {
        if !self.accept("<") {
            return Ok(BTreeMap::new());
        }
        let attribute = |p: &mut Self| {
            let name = p.next("an attribute name")?;
            p.expect("=")?;
            Ok((name, p.attribute_value()?))
        };
        Ok(self.list(">", attribute)?.into_iter().collect())
    }

    fn attribute_value(&mut self) -> Result<Attribute, Error> {
        if self.accept("[") {
            let items = self.list("]", |p| p.next("a value"))?;
            return self.list_attribute(&items);
        }
        let token = self.next("a value")?;
        if element_of_name(&token).is_some() && self.peek().is_some_and(|next| matches!(next, "[" | "{")) {
            self.at -= 1;
            let ty = self.ty()?;
            return Ok(Attribute::Tensor(self.elements(&ty)?.into()));
        }
        if let Some(text) = token.strip_prefix('"') {
            return Ok(Attribute::String(text.trim_end_matches('"').to_owned()));
        }
        if let Ok(n) = token.parse() {
            return Ok(Attribute::Int(n));
        }
        token.parse().map(Attribute::Float).map_err(|_| self.expected("a value", &token))
    }

    fn list_attribute(&self, items: &[String]) -> Result<Attribute, Error> {
        if let Ok(ints) = items.iter().map(|item| item.parse()).collect::<Result<Vec<i64>, _>>() {
            return Ok(Attribute::Ints(ints));
        }
        if items.iter().all(|item| item.starts_with('"')) {
            return Ok(Attribute::Strings(
                items.iter().map(|item| item.trim_matches('"').to_owned()).collect(),
            ));
        }
        let floats = items.iter().map(|item| item.parse()).collect::<Result<Vec<f32>, _>>();
        floats
            .map(Attribute::Floats)
            .map_err(|_| self.expected("a list of numbers or strings", &items.join(", ")))
    }
}

fn compatible(inferred: &Type, stated: &Type) -> bool {
    let same = |(a, b): (&Dim, &Dim)| a == b || a.known().is_none() || b.known().is_none();
    inferred.element == stated.element
        && match (&inferred.shape, &stated.shape) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(same),
            _ => true,
        }
}

pub(super) const ELEMENT_NAMES: &[(&str, ElementType)] = &[
    ("float", ElementType::F32),
    ("double", ElementType::F64),
    ("float16", ElementType::F16),
    ("bfloat16", ElementType::BF16),
    ("int8", ElementType::I8),
    ("int16", ElementType::I16),
    ("int32", ElementType::I32),
    ("int64", ElementType::I64),
    ("uint8", ElementType::U8),
    ("uint16", ElementType::U16),
    ("uint32", ElementType::U32),
    ("uint64", ElementType::U64),
    ("bool", ElementType::Bool),
    ("string", ElementType::String),
];

fn element_of_name(name: &str) -> Option<ElementType> {
    ELEMENT_NAMES.iter().find(|(known, _)| *known == name).map(|(_, element)| *element)
}
